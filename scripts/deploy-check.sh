#!/bin/sh
# Holds deploy/ against what others say is right: the Kubernetes schema, checkov's security checks, systemd's own parser.
#
# Every check that is skipped says why beside the thing it is about (`checkov:skip`, `checkov.io/skipN`). What only this
# project can judge (the actions of the IAM policies, the configurations inside the manifests) is in tests/.
set -eu

cd "$(dirname "$0")/.."
PEERS=${SQSWATCH_PEERS:-$PWD/.peers}
KUBERNETES=1.37
FAILED=0

fail() {
    printf 'deploy-check: %s\n' "$*" >&2
    FAILED=1
}

# Runs one check and says so when it found nothing.
step() {
    before=$FAILED FAILED=0
    "$2"
    if [ "$FAILED" -eq 0 ]; then
        printf 'deploy-check: ok: %s\n' "$1"
        FAILED=$before
    fi
}

need_tools() {
    if [ ! -x "$PEERS/tools/bin/kubernetes-validate" ]; then
        fail "kubernetes-validate is missing; run \`scripts/peers.sh install tools\`"
        exit 1
    fi
}

# Kustomization and the operator's monitors and rules have no schema in Kubernetes itself.
kubernetes_schema() {
    for file in deploy/kubernetes/*.yaml; do
        case $file in */kustomization.yaml | */monitors.yaml | */prometheusrule.yaml) continue ;; esac
        "$PEERS/tools/bin/kubernetes-validate" --quiet --strict -k "$KUBERNETES" "$file" ||
            fail "$file does not fit Kubernetes $KUBERNETES"
    done
}

# What kubectl would apply with -k is exactly the files beside it, but for the three that are left out on purpose.
kustomization_is_complete() {
    for file in deploy/kubernetes/*.yaml; do
        name=$(basename "$file")
        case $name in kustomization.yaml | monitors.yaml | prometheusrule.yaml | sidecar.yaml) continue ;; esac
        grep -q "^  - $name\$" deploy/kubernetes/kustomization.yaml || fail "kustomization.yaml leaves out $name"
    done
}

security() {
    report=$("$PEERS/tools/bin/checkov" --skip-download --quiet --compact --directory deploy \
        --framework kubernetes dockerfile 2>&1) || {
        printf '%s\n' "$report" >&2
        fail "checkov has found something: mend it, or skip it with a reason"
    }
}

# Without systemd there is nobody to ask; the unit names a binary that need not be installed here.
systemd_unit() {
    if ! command -v systemd-analyze >/dev/null 2>&1; then
        printf 'deploy-check: no systemd on this machine, so the unit is not checked\n'
        return
    fi
    copy=$(mktemp -d)/sqswatch.service
    sed 's|/usr/local/bin/sqswatch run.*|/bin/true|' deploy/systemd/sqswatch.service >"$copy"
    said=$(systemd-analyze verify "$copy" 2>&1) || fail "systemd-analyze verify: $said"
    [ -z "$said" ] || fail "systemd-analyze verify: $said"
    if systemd-analyze security --help 2>&1 | grep -q -- --offline; then
        systemd-analyze security --offline=true --threshold=20 "$copy" >/dev/null ||
            fail "the unit is exposed more than 2.0 of 10 by \`systemd-analyze security\`"
    fi
    rm -r "$(dirname "$copy")"
}

need_tools
step "the manifests fit Kubernetes $KUBERNETES" kubernetes_schema
step "the kustomization names every manifest" kustomization_is_complete
step "checkov has nothing to say" security
step "the systemd unit is sound" systemd_unit
exit "$FAILED"
