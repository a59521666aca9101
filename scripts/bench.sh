#!/bin/sh
# Measures the daemon against the simulator in another process and prints a markdown table for docs/performance.md.
#
# `scripts/bench.sh browsers` measures open pages instead: what 0, 50 and 500 of them cost, and whether polling goes on at its pace.
#
# Settings by environment: QUEUES="10 1000 5000" (browsers: "1000 5000"), SECONDS_EACH=60, INTERVAL=15s (poll.attributes),
# BROWSERS="0 50 500", PROFILE=release or dev, or programs that are there: SQSWATCH=path and SIMULATOR=path.
# CPU and memory are the daemon's alone, read from /proc because process_cpu_seconds_total counts whole seconds only. Nothing is
# scraped while they are measured, but for one scrape at each end. Needs Linux, curl and cargo; for browsers python3.
set -eu

cd "$(dirname "$0")/.."
WHAT=${1:-queues}
case $WHAT in
queues) QUEUES=${QUEUES:-10 1000 5000} ;;
browsers) QUEUES=${QUEUES:-1000 5000} ;;
*) echo "usage: scripts/bench.sh [queues|browsers]" >&2 && exit 2 ;;
esac
BROWSERS=${BROWSERS:-0 50 500}
SECONDS_EACH=${SECONDS_EACH:-60}
INTERVAL=${INTERVAL:-15s}
PROFILE=${PROFILE:-release}
SCRAPES=${SCRAPES:-11}

case $PROFILE in
dev) FOLDER=${CARGO_TARGET_DIR:-target}/debug ;;
*) FOLDER=${CARGO_TARGET_DIR:-target}/$PROFILE ;;
esac
BUILT=${SQSWATCH:+by hand}
SQSWATCH=${SQSWATCH:-$FOLDER/sqswatch}
SIMULATOR=${SIMULATOR:-$FOLDER/examples/simulator}
WORK=$(mktemp -d)
SIMULATED=
DAEMON=
LOOKING=

say() { printf 'bench: %s\n' "$*" >&2; }

die() {
    say "$*"
    [ ! -f "$WORK/daemon.log" ] || tail -n 5 "$WORK/daemon.log" >&2
    exit 1
}

stop() {
    for pid in $LOOKING $DAEMON $SIMULATED; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    DAEMON=
    SIMULATED=
    LOOKING=
}

finish() {
    stop
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
    tries=$(($1 * 5)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "no $what"
        sleep 0.2
    done
}

start_simulator() {
    rm -f "$WORK"/*.log "$WORK/state.redb"
    "$SIMULATOR" 127.0.0.1:0 "synthetic=$1" >"$WORK/simulator.log" 2>&1 &
    SIMULATED=$!
    wait_for 60 "address of the simulator" grep -q '^http' "$WORK/simulator.log"
    ENDPOINT=$(grep -m 1 '^http' "$WORK/simulator.log")
}

start_daemon() {
    cat >"$WORK/sqswatch.yaml" <<END
aws: { endpoint_url: "$ENDPOINT", targets: [{ regions: [us-east-1] }] }
poll: { attributes: $INTERVAL }
web: { listen: "127.0.0.1:0" }
store: { path: "$WORK/state.redb" }
log: { format: json, level: info }
END
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true \
        "$SQSWATCH" run --config "$WORK/sqswatch.yaml" >"$WORK/daemon.log" 2>&1 &
    DAEMON=$!
    wait_for 30 "address of the daemon" grep -q '"message":"listening"' "$WORK/daemon.log"
    ORIGIN=http://$(sed -n 's/.*"message":"listening".*"address":"\([^"]*\)".*/\1/p' "$WORK/daemon.log" | head -1)
    METRICS=$ORIGIN/metrics
}

all_read() {
    [ "$(curl -sf "$METRICS" | grep -c '^sqs_queue_messages{.*state="visible"')" -eq "$1" ]
}

# The sum of all series of $1 that contain $2, in the scrape in $WORK/scrape.
total() {
    awk -v name="$1" -v part="$2" 'index($0, name "{") == 1 && index($0, part) { sum += $NF } END { printf "%d", sum }' "$WORK/scrape"
}

scrape() { curl -sf "$METRICS" >"$WORK/scrape" || die "cannot scrape $METRICS"; }

# Milliseconds of CPU that process $1 has used.
cpu_ms() {
    sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{ printf "%d", ($12 + $13) * 1000 / hz }'
}

memory_mib() { awk -v key="$2:" '$1 == key { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }

# The median of $SCRAPES scrapes in milliseconds; they are further apart than one rendering is shared for.
median_scrape() {
    for _ in $(seq "$SCRAPES"); do
        curl -sf -o /dev/null -w '%{time_total}\n' "$@" "$METRICS"
        sleep 1.2
    done | sort -n | awk '{ at[NR] = $1 } END { printf "%.1f", at[int((NR + 1) / 2)] * 1000 }'
}

measure() {
    queues=$1
    say "$queues queues"
    start_simulator "$queues"
    start_daemon
    wait_for 180 "reading of all $queues queues" all_read "$queues"
    sleep 5
    scrape
    polls_before=$(total sqswatch_aws_requests_total 'operation="GetQueueAttributes"')
    cpu_before=$(cpu_ms "$DAEMON")
    sleep "$SECONDS_EACH"
    cpu=$(($(cpu_ms "$DAEMON") - cpu_before))
    scrape
    polls=$(($(total sqswatch_aws_requests_total 'operation="GetQueueAttributes"') - polls_before))
    [ "$polls" -gt 0 ] || die "nothing was polled in ${SECONDS_EACH} s"
    late=$(total sqswatch_ticks_late_total attributes)
    memory=$(memory_mib "$DAEMON" VmRSS)
    plain=$(median_scrape)
    packed=$(median_scrape -H 'Accept-Encoding: gzip')
    peak=$(memory_mib "$DAEMON" VmHWM)
    size=$(wc -c <"$WORK/scrape")
    awk -v queues="$queues" -v polls="$polls" -v seconds="$SECONDS_EACH" -v cpu="$cpu" -v memory="$memory" -v peak="$peak" \
        -v plain="$plain" -v packed="$packed" -v size="$size" -v late="$late" 'BEGIN {
            printf "| %d | %.1f | %.1f %% | %d us | %d MiB | %d MiB | %s ms | %s ms | %.0f KiB | %d |\n",
                queues, polls / seconds, cpu / seconds / 10, cpu * 1000 / polls, memory, peak, plain, packed, size / 1024, late }'
    stop
}

# How old the oldest reading of counts is, in seconds.
oldest_reading() {
    awk -v now="$(date +%s.%N)" 'index($0, "sqs_queue_last_reading_timestamp_seconds{") == 1 && /source="attributes"/ {
        if (!oldest || $NF < oldest) oldest = $NF } END { printf "%.1f", now - oldest }' "$WORK/scrape"
}

# What $2 browsers cost while $1 queues are watched.
measure_browsers() {
    say "$1 queues, $2 browsers"
    open=0 bytes=0 changes=0
    if [ "$2" -gt 0 ]; then
        python3 scripts/browsers.py "$ORIGIN" "$2" "$SECONDS_EACH" >"$WORK/browsers" 2>&1 &
        LOOKING=$!
        wait_for 300 "pages that are open" grep -q '^opened' "$WORK/browsers"
    fi
    scrape
    polls=$(total sqswatch_aws_requests_total 'operation="GetQueueAttributes"')
    late=$(total sqswatch_ticks_late_total attributes)
    cpu=$(cpu_ms "$DAEMON")
    sleep "$SECONDS_EACH"
    cpu=$(($(cpu_ms "$DAEMON") - cpu))
    scrape
    oldest=$(oldest_reading)
    polls=$(($(total sqswatch_aws_requests_total 'operation="GetQueueAttributes"') - polls))
    late=$(($(total sqswatch_ticks_late_total attributes) - late))
    if [ -n "$LOOKING" ]; then
        wait "$LOOKING" || die "$(cat "$WORK/browsers")"
        LOOKING=
        eval "$(grep '^open=' "$WORK/browsers")"
        [ "$open" -eq "$2" ] || die "only $open of $2 pages stayed open"
    fi
    awk -v queues="$1" -v browsers="$2" -v polls="$polls" -v seconds="$SECONDS_EACH" -v cpu="$cpu" -v late="$late" -v oldest="$oldest" \
        -v bytes="$bytes" -v changes="$changes" -v memory="$(memory_mib "$DAEMON" VmRSS)" 'BEGIN {
            printf "| %d | %d | %.1f | %d | %s s | %.1f %% | %d MiB | %s | %s |\n", queues, browsers, polls / seconds, late, oldest,
                cpu / seconds / 10, memory, browsers ? sprintf("%.1f KiB/s", bytes / browsers / seconds / 1024) : "-",
                changes ? sprintf("%.1f s", browsers * seconds / changes) : "-" }'
}

measure_all_browsers() {
    start_simulator "$1"
    start_daemon
    wait_for 180 "reading of all $1 queues" all_read "$1"
    for browsers in $BROWSERS; do
        sleep 5
        measure_browsers "$1" "$browsers"
    done
    stop
}

if [ -z "$BUILT" ]; then
    say "building ($PROFILE)"
    cargo build --locked --profile "$PROFILE" --bin sqswatch --example simulator >&2
fi

printf 'sqswatch %s, %s, %s cores, poll.attributes %s, %s s each, binary %s MiB\n\n' \
    "$("$SQSWATCH" --version | cut -d' ' -f2)" "${BUILT:-profile $PROFILE}" "$(nproc)" "$INTERVAL" "$SECONDS_EACH" \
    "$(($(wc -c <"$SQSWATCH") / 1048576))"
case $WHAT in
queues)
    printf '| queues | polls/s | CPU of one core | CPU a poll | memory | peak | scrape | scrape, gzip | text | late |\n'
    printf '|---|---|---|---|---|---|---|---|---|---|\n'
    for queues in $QUEUES; do measure "$queues"; done
    ;;
browsers)
    printf '| queues | browsers | polls/s | late | oldest reading | CPU of one core | memory | a browser hears | told every |\n'
    printf '|---|---|---|---|---|---|---|---|---|\n'
    for queues in $QUEUES; do measure_all_browsers "$queues"; done
    ;;
esac
