"""Makes calls of AWS with boto3 and says how each ends.

Standard input is a JSON list of [service, method, parameters], and so is standard output, of error codes: an empty
one stands for success. Endpoint, region and credentials come from the environment.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def ends(service: str, method: str, parameters: dict) -> str:
    client = boto3.client(
        service, config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    )
    try:
        getattr(client, method)(**parameters)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return ""


json.dump([ends(*call) for call in json.load(sys.stdin)], sys.stdout)
