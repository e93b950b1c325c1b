#!/bin/bash
# Copyright (c) 2026 The MultiLog for Open vSwitch authors.
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at:
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

# Run in a sandbox after captures of hostile packets: the sum adds up, and
# every field of every record can be shown.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

forwarded=$(count forwarded)
is "forwarded" "$forwarded" "$(port_counter p1 tx pkts)"
is "dropped too" "$(($(count drop) + forwarded))" "$(count '')"
is "too short" "$(count 'drop_reason == rx_invalid_packet && pkt_len < 14')" \
    "$(count drop)"
is "rows" "$(ovs-appctl multilog/query --fields all --limit 1000000 \
    --format=csv | grep -vc '^# ')" $(($(count '') + 1))
for field in $(ovs-appctl multilog/fields --format=json |
               value '" ".join(f["name"] for f in d["fields"]
               if f["type"] != "predicate")'); do
    ovs-appctl multilog/query --group-by "$field" --top 5 >/dev/null ||
        fail "--group-by $field"
done
ovs-appctl multilog/flows --top 1000 >/dev/null || fail "multilog/flows"
