#!/usr/bin/env bash
# Installs what the tests need where it is absent and permitted, runs them all, and says plainly what was
# skipped and why.
set -uo pipefail
cd "$(dirname "$0")/../.."
logs=$(mktemp -d "${TMPDIR:-/tmp}/outrider-test.XXXXXX")

need=()
[ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || need+=(mosquitto)
command -v mosquitto_pub >/dev/null || need+=(mosquitto-clients)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || need+=(postgresql)
python3 -c 'import paho.mqtt' 2>/dev/null || /usr/bin/python3 -c 'import paho.mqtt' 2>/dev/null || need+=(python3-paho-mqtt)
command -v promtool >/dev/null || need+=(prometheus)
command -v ogrinfo >/dev/null || need+=(gdal-bin)
[ -x /usr/sbin/nats-server ] || command -v nats-server >/dev/null || need+=(nats-server)
command -v zsh >/dev/null || need+=(zsh)
command -v fish >/dev/null || need+=(fish)
command -v mandoc >/dev/null || need+=(mandoc)
command -v groff >/dev/null || need+=(groff-base)
command -v gcc >/dev/null || need+=(gcc libc6-dev)
command -v chromium >/dev/null || command -v google-chrome >/dev/null || need+=(chromium)
if [ ${#need[@]} -gt 0 ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing for the tests: ${need[*]}"
		export DEBIAN_FRONTEND=noninteractive
		{ apt-get update && apt-get install -y --no-install-recommends "${need[@]}"; } >"$logs/apt.log" 2>&1 ||
			echo "could not install ${need[*]} (see $logs/apt.log): the tests that need them are skipped"
		# Debian starts the broker as a service where one can run; the tests start their own.
		command -v systemctl >/dev/null && systemctl disable --now mosquitto postgresql prometheus nats-server >/dev/null 2>&1
	else
		echo "not installed, and not permitted to install: ${need[*]}: the tests that need them are skipped"
	fi
fi

# The console's own packages hold the checker of accessibility.
if command -v npm >/dev/null && [ ! -e console/ui/node_modules/axe-core ]; then
	(cd console/ui && npm ci --no-audit --no-fund --loglevel=error) >"$logs/npm.log" 2>&1 ||
		echo "could not install the console's packages (see $logs/npm.log): the tests that need them are skipped"
fi

# A client of the device endpoint that others wrote.
clients=telemetry/mqtt/testdata/clients
if command -v npm >/dev/null && [ ! -e $clients/node_modules/mqtt ]; then
	(cd $clients && npm ci --no-audit --no-fund --loglevel=error) >"$logs/npm-mqtt.log" 2>&1 ||
		echo "could not install MQTT.js (see $logs/npm-mqtt.log): the tests that need it are skipped"
fi

race=(-race)
if ! command -v gcc >/dev/null; then
	race=()
	echo "no C compiler: the tests run without -race"
fi

log=$logs/test.log
{
	go test "${race[@]}" -shuffle=on -timeout 20m -v ./... 2>&1
	status=$?
	(cd internal/packaging && go test -shuffle=on -v . 2>&1) || status=$? # a module of its own
	echo "exit status $status"
} | tee "$log" | awk -v kept="$log" -f internal/tools/report.awk
status=${PIPESTATUS[2]}
[ "$status" -ne 0 ] || rm -rf "$logs"
exit "$status"
