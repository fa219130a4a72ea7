"""Features per user as a small Flask app answers them that asks Redis at each call."""

import os

from flask import Flask, jsonify, request
from redis import Redis

app = Flask(__name__)
users = Redis.from_url(os.environ["REDIS_USERS_URL"], decode_responses=True)
features = Redis.from_url(os.environ["REDIS_FEATURES_URL"], decode_responses=True)


@app.get("/features")
def active_features():
    active = features.smembers("global_features")
    credentials = request.authorization
    if credentials:
        user = users.get(f"token:{credentials.password}")
        if user is None:
            return jsonify(key="auth_error", message="Unauthorized"), 401
        active |= features.sinter("active_features", f"features:user:{user}")
    return jsonify(active_features=list(active))
