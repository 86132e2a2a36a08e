#!/usr/bin/env bash
# Sends three deliveries as Code Storage would, with only openssl and curl: a signed push, a signed sync event, and a
# push that was changed after it was signed. Exits with 0 if the first two are accepted (2xx) and the third is rejected
# (401).
#
#   PIERRE_WEBHOOK_SECRET=... examples/send.sh [URL]      default URL: http://127.0.0.1:8787/webhooks
#
# For demonstration only: while openssl runs, the secret is on its command line, where other users of this machine can
# see it.
set -euo pipefail

url=${1:-http://127.0.0.1:8787/webhooks}
secret=${PIERRE_WEBHOOK_SECRET:?must hold the signing secret of the receiver}
is_wrong=0

# sign BODY: prints the value of X-Pierre-Signature. It signs the time, a dot and the body, byte for byte:
# HMAC-SHA256(secret, "1790000000" + "." + body), in hex.
sign() {
    local timestamp mac
    timestamp=$(date +%s) # Unix seconds. It is signed too, so that an old delivery can't be replayed.
    mac=$(printf '%s.%s' "$timestamp" "$1" | openssl dgst -sha256 -hmac "$secret")
    printf 't=%s,sha256=%s' "$timestamp" "${mac##* }" # openssl prints a label before the digits.
}

# send NAME EVENT_TYPE SIGNATURE BODY EXPECTED: posts a delivery and compares the status of the response.
send() {
    local status verdict=ok
    status=$(curl --silent --show-error --max-time 10 --output /dev/null --write-out '%{http_code}' \
        --noproxy localhost,127.0.0.1 \
        --header 'Content-Type: application/json' \
        --header 'User-Agent: Pierre-Webhook/1.0' \
        --header "X-Pierre-Event: $2" \
        --header "X-Pierre-Signature: $3" \
        --data-binary "$4" \
        "$url")
    # shellcheck disable=SC2254 # It is a pattern: 2?? is any success.
    case $status in
        $5) ;;
        *) verdict="NOT AS EXPECTED: ${5//\?/x}" is_wrong=1 ;;
    esac
    printf '%-40s %s  %s\n' "$1" "$status" "$verdict"
}

push='{
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha"},
  "ref": "refs/heads/main",
  "before": "4f9d2c1b7a6e5f4d3c2b1a09f8e7d6c5b4a39281",
  "after": "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b",
  "customer_id": "your-customer-id",
  "pushed_at": "2024-01-20T10:30:00Z"
}'
sync='{
  "type": "repo.sync.succeeded",
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha"},
  "run_count": 1,
  "is_first_sync": true,
  "started_at": "2026-03-17T10:00:00Z",
  "completed_at": "2026-03-17T10:02:30Z"
}'

send 'a push' push "$(sign "$push")" "$push" '2??'
send 'a sync that succeeded' repo.sync.succeeded "$(sign "$sync")" "$sync" '2??'
send 'a push changed after it was signed' push "$(sign "$push")" "${push/main/mine}" 401

exit "$is_wrong"
