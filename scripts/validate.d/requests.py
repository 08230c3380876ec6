#!/usr/bin/env python3
"""Checks the requests that `threadline explain` prints, of every case of every pattern.

Each request is valid by botocore's model of DynamoDB. On DynamoDB Local, each request and its PartiQL statement do the
same, and consume the capacity that the explanation states. A planted error of each kind must be found.

Needs DYNAMODB_ENDPOINT, and the package botocore.
"""

import copy
import json
import os
import subprocess
import sys

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

# DynamoDB Local reports too little capacity for these.
UNDERSTATED = {"TransactWriteItems"}
# The codes of a condition that is not met, of a write and of a transaction.
REFUSED = {"ConditionalCheckFailedException", "TransactionCanceledException"}

session = botocore.session.get_session()
client = session.create_client(
    "dynamodb",
    region_name="us-east-1",
    endpoint_url=os.environ["DYNAMODB_ENDPOINT"],
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"max_attempts": 0}, parameter_validation=False),
)
model = client.meta.service_model


def explanations():
    command = ["cargo", "run", "--locked", "-q", "-p", "threadline-catalogue", "--", "explain", "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def invalid(operation, request):
    """Returns the errors of a request by botocore's model."""
    report = ParamValidator().validate(request, model.operation_model(operation).input_shape)
    return report.generate_report()


def on_new_table(items, replay):
    """Replays on a new table with these items. Returns the answer and the items after it."""
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    index = [{"AttributeName": "gsi1pk", "KeyType": "HASH"}, {"AttributeName": "gsi1sk", "KeyType": "RANGE"}]
    client.create_table(
        TableName="threadline",
        KeySchema=key,
        AttributeDefinitions=[
            {"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in key + index
        ],
        GlobalSecondaryIndexes=[
            {"IndexName": "gsi1", "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        for item in items:
            client.put_item(TableName="threadline", Item=item)
        answers = [replay_one(*each) for each in replay]
        return answers, scan()
    finally:
        client.delete_table(TableName="threadline")


def scan():
    pages = client.get_paginator("scan").paginate(TableName="threadline")
    return by_key([item for page in pages for item in page["Items"]])


def by_key(items):
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def replay_one(operation, request):
    method = operation[0].lower() + "".join("_" + each.lower() if each.isupper() else each for each in operation[1:])
    try:
        return getattr(client, method)(**request)
    except ClientError as error:
        return {"Error": error.response["Error"]["Code"]}


def read_items(answer):
    """Returns the items that an answer contains."""
    found = list(answer.get("Items", []))
    if "Item" in answer:
        found.append(answer["Item"])
    for items in answer.get("Responses", {}).values() if isinstance(answer.get("Responses"), dict) else []:
        found += items
    if isinstance(answer.get("Responses"), list):
        found += [each["Item"] for each in answer["Responses"] if "Item" in each]
    return found


def consumed(answer):
    """Returns the units of the table and of the index."""
    capacities = answer.get("ConsumedCapacity", [])
    capacities = capacities if isinstance(capacities, list) else [capacities]
    table = sum(each.get("Table", {}).get("CapacityUnits", 0) for each in capacities)
    index = sum(
        index["CapacityUnits"] for each in capacities for index in each.get("GlobalSecondaryIndexes", {}).values()
    )
    return table, index


def findings(case):
    """Returns the differences of one case."""
    name = f"{case['pattern']} ({case['case']})"
    found = []
    for request in case["requests"]:
        errors = invalid(request["operation"], request["request"])
        found += [f"{name}: {request['operation']} is invalid: {errors}"] if errors else []
        if "request" in request["partiql"]:
            errors = invalid(request["partiql"]["operation"], request["partiql"]["request"])
            found += [f"{name}: the statement is invalid: {errors}"] if errors else []
    if found:
        return found

    requests = [(each["operation"], each["request"]) for each in case["requests"]]
    answers, after = on_new_table(case["items"], requests)
    for number, (request, answer) in enumerate(zip(case["requests"], answers)):
        if request["refused"] != (answer.get("Error") in REFUSED):
            found.append(f"{name}: {request['operation']} was {'not ' if request['refused'] else ''}refused")
        if "Error" in answer:
            if not request["refused"] and not begins_after_the_end(requests, answers, number):
                found.append(f"{name}: {request['operation']} failed: {answer['Error']}")
            continue
        stated = request["capacity"]
        stated = (
            stated["table_read"] + stated["table_write"],
            stated["index_read"] + stated["index_write"],
        )
        if request["operation"] not in UNDERSTATED and consumed(answer) != stated:
            found.append(f"{name}: {request['operation']} consumed {consumed(answer)}, stated are {stated}")

    # A case whose requests all have statements, by these alone; the others, request by request.
    mixed = [
        (each["partiql"]["operation"], unlimited(each["partiql"]["request"])) if "request" in each["partiql"] else request
        for each, request in zip(case["requests"], requests)
    ]
    by_statements, after_statements = on_new_table(case["items"], mixed)
    if after != after_statements:
        found.append(f"{name}: the statements leave other items in the table")
    for request, one, other in zip(case["requests"], answers, by_statements):
        if "Error" in one and "Error" in other:
            continue
        if "Error" in other:
            found.append(f"{name}: the statement of {request['operation']} failed: {other['Error']}")
        elif by_key(read_items(one)) != by_key(read_items(other)[: request["request"].get("Limit")]):
            found.append(f"{name}: the statement of {request['operation']} returns other items")
    return found


def unlimited(statement):
    """Returns a statement in descending order without its limit, which DynamoDB Local applies before the order."""
    is_descending = statement.get("Statement", "").endswith(" DESC")
    return {name: value for name, value in statement.items() if not (is_descending and name == "Limit")}


def begins_after_the_end(requests, answers, number):
    """Returns true for a page after one that DynamoDB Local reports as the last.

    The in-memory store reports a next page whenever the limit ends a page, as DynamoDB does. DynamoDB Local does not at
    the end of a range, and refuses to begin there.
    """
    if number == 0 or "ExclusiveStartKey" not in requests[number][1]:
        return False
    before = answers[number - 1]
    return answers[number]["Error"] == "ValidationException" and not {"Error", "LastEvaluatedKey"} & before.keys()


def must_find(case, plant, expected):
    """Plants an error into a case, and fails unless it is found."""
    case = copy.deepcopy(case)
    plant(case["requests"][0])
    found = findings(case)
    if not any(expected in each for each in found):
        sys.exit(f"a planted error was not found: {expected}; found: {found}")


def main():
    cases = explanations()
    found = [each for case in cases for each in findings(case)]
    if found:
        sys.exit("\n".join(found))

    get = next(case for case in cases if case["pattern"] == "messages.get")
    must_find(get, lambda each: each["request"].update(Keys={}), "GetItem is invalid")
    must_find(get, lambda each: each["capacity"].update(table_read=7), "GetItem consumed")
    must_find(get, lambda each: each["partiql"]["request"].update(Statement='SELECT "pk" FROM "threadline"', Parameters=[{"S": "1"}]), "the statement of GetItem")
    page = next(case for case in cases if case["pattern"] == "inbox.page")
    must_find(page, lambda each: each["request"].update(IndexName="gsi2"), "Query failed: ValidationException")
    send = next(case for case in cases if case["pattern"] == "messages.send")
    must_find(send, lambda each: each["partiql"]["request"]["Parameters"].__setitem__(0, {"S": "2026"}), "other items")

    requests = [request for case in cases for request in case["requests"]]
    statements = sum("request" in request["partiql"] for request in requests)
    print(f"{len(requests)} requests of {len(cases)} cases are valid and replayed, {statements} of them in PartiQL too")


main()
