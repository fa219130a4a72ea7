"""Prints the features of a token's user, and each new set while the program runs."""

import os
import sys
import time

import requests

url = os.environ.get("TIDEGATE_URL", "http://localhost:5000") + "/features"
session = requests.Session()
session.auth = ("", os.environ["TIDEGATE_TOKEN"])

while True:
    try:
        response = session.get(url, timeout=5)
        response.raise_for_status()
    except requests.RequestException as error:
        print(error, file=sys.stderr)
    else:
        if response.status_code == 200:
            print(*response.json()["active_features"], flush=True)
            # The next response is 304, without a body, while the features stay the same.
            session.headers["If-None-Match"] = response.headers["ETag"]
    time.sleep(float(os.environ.get("PAUSE", "10")))
