#!/bin/sh
# Starts the gateway with the app's options; what is added (such as --check) goes to `car gateway`.
set -eu
options=${OPTIONS:-/data/options.json}
state=${STATE:-/data/state}
supervisor=${SUPERVISOR:-http://supervisor}
cd "${SHARE:-/share}"

option() { # option NAME: its value; of a list, one a line
    python3 -c 'import json, sys
value = json.load(open(sys.argv[1])).get(sys.argv[2]) or ""
value = "true" if value is True else value
print("\n".join(value) if isinstance(value, list) else value)' "$options" "$1"
}

allowed() { # what the requester may set, as the settings' [commands.allow] in JSON
    python3 -c 'import json, sys
options = json.load(open(sys.argv[1]))
globs = options.get("allow")
print(json.dumps({options["requester"]: globs} if globs else {}))' "$options"
}

service() { # the URL of the broker that Home Assistant has
    python3 -c 'import json, os, sys, urllib.parse, urllib.request
token = {"Authorization": "Bearer " + os.environ.get("SUPERVISOR_TOKEN", "")}
try:
    asked = urllib.request.Request(sys.argv[1] + "/services/mqtt", headers=token)
    found = json.load(urllib.request.urlopen(asked, timeout=10))["data"]
    user, password = (urllib.parse.quote(found[key], "") for key in ("username", "password"))
    scheme = "mqtts" if found["ssl"] else "mqtt"
    print(scheme + "://" + user + ":" + password + "@" + found["host"] + ":" + str(found["port"]))
except (OSError, ValueError, KeyError, TypeError) as error:
    sys.exit("no broker: install the app Mosquitto broker, or set the option broker (%s)" % error)
' "$supervisor"
}

bus=$(option bus)
bitrate=$(option bitrate)
transmit=$(option transmit)
if [ -n "$bitrate" ] && [ "${bus#*:}" = "$bus" ]; then # SocketCAN: the gateway does not set it up
    interface=${bus#*=}
    ip link set "$interface" down
    listen_only=on
    [ -z "$transmit" ] || listen_only=off
    ip link set "$interface" up type can bitrate "$bitrate" listen-only "$listen_only"
    bitrate=
fi
INTERNETCAR_BROKER=$(option broker)
[ -n "$INTERNETCAR_BROKER" ] || INTERNETCAR_BROKER=$(service)
INTERNETCAR_GATEWAY_HOME_ASSISTANT__NAME=$(option name)
INTERNETCAR_GATEWAY_HOME_ASSISTANT__REQUESTER=$(option requester)
INTERNETCAR_GATEWAY_COMMANDS__ALLOW=$(allowed)
export INTERNETCAR_BROKER INTERNETCAR_GATEWAY_HOME_ASSISTANT__NAME
export INTERNETCAR_GATEWAY_HOME_ASSISTANT__REQUESTER INTERNETCAR_GATEWAY_COMMANDS__ALLOW

vehicle=$(option vehicle)
mapping=$(option mapping)
[ -z "$transmit" ] || set -- --transmit "$@"
[ -z "$(option obd)" ] || set -- --obd "$@"
[ -z "$bitrate" ] || set -- --bitrate "$bitrate" "$@"
[ -z "$vehicle" ] || set -- --vehicle "$vehicle" "$@"
[ -z "$mapping" ] || set -- --mapping "$mapping" "$@"
while IFS= read -r file; do
    [ -z "$file" ] || set -- --dbc "$file" "$@"
done <<EOT
$(option dbc)
EOT
exec car gateway --bus "$bus" --vehicle-id "$(option vehicle_id)" --state "$state" "$@"
