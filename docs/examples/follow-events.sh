#!/usr/bin/env bash
# Follows the log of a job to its end with curl, each event once, however often the connection breaks.
# follow-events.sh http://127.0.0.1:4000/graphql 01a2206a-9a28-7382-9c29-18780dc4e862
url=$1
query="subscription { jobEvents(id: \"$2\") { cursor event { __typename time message } gap { message } } }"
last=
while :; do
  id= data= ended=
  while IFS= read -r line; do
    case $line in
      'event: complete') ended=yes ;;
      'id: '*) id=${line#id: } ;;
      'data: '*) data=${line#data: } ;;
      '')
        # Only an empty line says that an event has come whole.
        [ -n "$ended" ] && exit
        [ -n "$data" ] && printf '%s\n' "$data" && last=$id
        id= data=
        ;;
    esac
  done < <(curl -sN --get --data-urlencode "query=$query" -H 'accept: text/event-stream' -H "last-event-id: $last" "$url")
  sleep 1
done
