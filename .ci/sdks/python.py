"""Prints what the Python SDK answers to each delivery on stdin: `python3 python.py <the folder it is installed in>`."""

import base64
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
from pierre_storage import validate_webhook

answers = {}
for delivery in json.load(sys.stdin):
    time.time = lambda: float(delivery["now"])
    body = base64.b64decode(delivery["body"])
    options = {"max_age_seconds": delivery["max_age"]}
    try:
        result = validate_webhook(body, delivery["headers"], delivery["secret"], options)
        keys = ["valid"] if result["valid"] else ["valid", "error"]
        answers[delivery["name"]] = {key: result[key] for key in keys}
    except Exception as error:
        answers[delivery["name"]] = {"crash": type(error).__name__}
json.dump(answers, sys.stdout)
