#!/bin/sh
# Installs the servers and tools that the tests run against and that this project did not write.
#
# Each goes into a place of its own under .peers/ (or $SQSWATCH_PEERS) with pinned versions, so nothing on the machine
# changes except for what comes from apt. Running it again does nothing until a pin changes.
set -eu

cd "$(dirname "$0")/.."
PEERS=${SQSWATCH_PEERS:-$PWD/.peers}
ALL="prometheus alertmanager faketime browser localstack moto ministack boto3 tools"

usage() {
    cat <<END
usage: scripts/peers.sh install [NAME...]   install all, or those named
       scripts/peers.sh list                what there is and whether it is installed
       scripts/peers.sh python MINIMUM      path of an interpreter that is at least e.g. 3.12

names: $ALL
END
}

say() { printf 'peers: %s\n' "$*"; }
die() {
    printf 'peers: %s\n' "$*" >&2
    exit 1
}

# The pins matter: newer releases of some dependencies break the servers at start.
pins() {
    case $1 in
    localstack) echo "localstack-core[runtime]==2026.3.0 cbor2<6 pyopenssl<26 cryptography<47 service-identity<26" ;;
    moto) echo "moto[server]==5.2.5" ;;
    ministack) echo "ministack==1.5.33 cbor2==6.2.1" ;;
    boto3) echo "boto3==1.44.5" ;;
    tools) echo "kubernetes-validate==1.37.0 checkov==3.3.30" ;;
    # The last playwright-core that runs under Node 18, which is Debian 12's.
    browser) echo "playwright-core@1.60.0 axe-core@4.14.1" ;;
    *) die "unknown name \`$1\`; known: $ALL" ;;
    esac
}

python_minimum() {
    case $1 in
    localstack) echo 3.12 ;;
    *) echo 3.10 ;;
    esac
}

# A file that says what was installed; beside the environment, so that a half-made one never counts.
stamp() { echo "$PEERS/$1.pins"; }

installed() {
    case $1 in
    faketime) ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 ;;
    prometheus) command -v promtool >/dev/null 2>&1 && command -v prometheus >/dev/null 2>&1 ;;
    alertmanager) command -v prometheus-alertmanager >/dev/null 2>&1 && command -v amtool >/dev/null 2>&1 ;;
    browser) command -v chromium >/dev/null 2>&1 && node_works && [ "$(cat "$(stamp browser)" 2>/dev/null)" = "$(pins browser)" ] ;;
    *) [ -x "$PEERS/$1/bin/python" ] && [ "$(cat "$(stamp "$1")" 2>/dev/null)" = "$(pins "$1")" ] ;;
    esac
}

# A python3.x on PATH can be a shim that only prints an error, so each candidate has to run.
find_python() {
    wanted="import sys, venv, ensurepip; sys.exit(sys.version_info < tuple(map(int, '$1'.split('.'))))"
    for candidate in python3.13 python3.12 "$HOME"/.pyenv/versions/3.13*/bin/python3 \
        "$HOME"/.pyenv/versions/3.12*/bin/python3 python3.14 python3 python3.11; do
        if "$candidate" -c "$wanted" >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        return 1
    fi
}

# apt may be busy with another installation, for which it waits up to five minutes.
apt_install() {
    command -v apt-get >/dev/null 2>&1 &&
        as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
            install --no-install-recommends "$@" >&2
}

install_prometheus() {
    apt_install prometheus ||
        die "cannot install promtool and prometheus; run \`apt-get install -y --no-install-recommends prometheus\` as root"
}

install_alertmanager() {
    apt_install prometheus-alertmanager ||
        die "cannot install Alertmanager and amtool; run \`apt-get install -y --no-install-recommends prometheus-alertmanager\` as root"
}

install_faketime() {
    apt_install libfaketime ||
        die "cannot install libfaketime; run \`apt-get install -y --no-install-recommends libfaketime\` as root"
}

node_works() { node -e 'process.exit(Number(parseInt(process.versions.node) < 18))' >/dev/null 2>&1; }

# No scripts of packages run: the browser is Debian's, and nothing is to be fetched from anywhere else.
install_browser() {
    command -v chromium >/dev/null 2>&1 || apt_install chromium ||
        die "cannot install chromium; run \`apt-get install -y --no-install-recommends chromium\` as root"
    { node_works && command -v npm >/dev/null 2>&1; } || { apt_install nodejs npm && node_works; } ||
        die "the browser tests need Node 18 or newer with npm; run \`apt-get install -y nodejs npm\` as root where that is new enough"
    mkdir -p "$PEERS/browser"
    rm -f "$(stamp browser)"
    # shellcheck disable=SC2046
    npm install --prefix "$PEERS/browser" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error $(pins browser) >&2 ||
        die "npm could not install the browser's driver; run \`scripts/peers.sh install browser\` again once the package index answers"
    pins browser >"$(stamp browser)"
}

install_venv() {
    minimum=$(python_minimum "$1")
    python=$(find_python "$minimum") || { apt_install python3 python3-venv && python=$(find_python "$minimum"); } ||
        die "$1 needs Python $minimum or newer with venv; run \`pyenv install 3.13\`, or \`apt-get install -y python3 python3-venv\` as root where that is new enough"
    mkdir -p "$PEERS"
    rm -f "$(stamp "$1")"
    # A link is somebody's own installation: its packages are brought to the pins, the link itself stays.
    [ -L "$PEERS/$1" ] || "$python" -m venv --clear "$PEERS/$1"
    # The pins hold no blanks or wildcards of their own, so splitting them is safe.
    set -f
    # shellcheck disable=SC2046
    "$PEERS/$1/bin/python" -m pip install --quiet --disable-pip-version-check $(pins "$1") ||
        die "pip could not install $1; run \`scripts/peers.sh install $1\` again once the package index answers"
    set +f
    pins "$1" >"$(stamp "$1")"
}

install() {
    for name in "$@"; do
        case $name in prometheus | alertmanager | faketime) ;; *) pins "$name" >/dev/null ;; esac
        if installed "$name"; then
            say "$name is there"
        else
            say "installing $name"
            case $name in
            prometheus) install_prometheus ;;
            alertmanager) install_alertmanager ;;
            faketime) install_faketime ;;
            browser) install_browser ;;
            *) install_venv "$name" ;;
            esac
        fi
    done
}

list() {
    for name in $ALL; do
        if installed "$name"; then say "$name: installed"; else say "$name: missing"; fi
    done
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
install)
    # shellcheck disable=SC2086
    if [ $# -eq 0 ]; then install $ALL; else install "$@"; fi
    ;;
list) list ;;
python) find_python "${1:-3.10}" || die "no Python ${1:-3.10} or newer found" ;;
help | -h | --help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
