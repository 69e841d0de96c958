#!/bin/sh
# Compiles Slack's TypeScript types to calls.schema.json: sh tests/support/slackschemas/compile.sh
# Node 20 or newer and npm's registry are needed for this alone. The tests read the file it makes.
set -eu
bolt=@slack/bolt@5.1.0 types=@slack/types@3.2.0 api=@slack/web-api@8.2.0 generator=ts-json-schema-generator@2.4.0
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --ignore-scripts --no-audit --no-fund "$bolt" "$types" "$api" "$generator"
cp "$here/calls.ts" .
echo '{"compilerOptions": {"module": "node16", "moduleResolution": "node16", "strict": true, "skipLibCheck": true, "types": []}}' > tsconfig.json
npx ts-json-schema-generator --path calls.ts --type Calls --tsconfig tsconfig.json --no-type-check --expose none --jsDoc none --out long.json
(cd "$here/../../.." && "${PYTHON:-python3}" -m tests.support.slackschemas.fold "$types" "$api" "$bolt") < long.json > calls.schema.json
mv calls.schema.json "$here/"
