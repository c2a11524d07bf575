# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml against routes.def, parameters.def and real answers."""

import re
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent.parent / "integration"))
from tiny_store import SQL  # noqa: E402

GENERAL = {"400", "405", "414", "417", "431", "501", "505"}  # said once, in info.description


@pytest.fixture(scope="module")
def document(root):
    return yaml.safe_load((root / "openapi.yaml").read_text(encoding="utf-8"))


def rows(root, name, macro):
    text = (root / "server" / name).read_text(encoding="utf-8")
    return [[part.strip().strip('"') for part in row.split(",")] for row in re.findall(rf"^{macro}\((.+)\)$", text, re.M)]


def operations(document):
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "put", "post", "delete", "patch", "head", "options")
    }


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def test_routes_and_document_name_the_same_operations(root, document):
    routes = {(row[0], row[1]) for row in rows(root, "routes.def", "ROUTE")}
    assert routes == set(operations(document))


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))


def test_parameters_and_document_name_the_same_fields(root, document):
    known = {row[0] for row in rows(root, "parameters.def", "PARAMETER")}
    named = {
        resolve(document, parameter)["name"]
        for operation in operations(document).values()
        for parameter in operation.get("parameters", [])
        if resolve(document, parameter)["in"] == "query"
    }
    assert named == known
    recommend = {resolve(document, p)["name"] for p in document["paths"]["/recommend"]["get"]["parameters"]}
    assert recommend == set(document["components"]["schemas"]["Question"]["properties"])


def test_words_of_the_document_are_those_of_the_program(root, document):
    schemas = document["components"]["schemas"]

    def words(path, name):
        text = (root / path).read_text(encoding="utf-8")
        block = re.search(rf"#define {name}\(X\)((?:.*\\\n)*.*)", text).group(1)
        return [word for word in re.findall(r'X\(\w+, "([^"]*)"', block) if word]

    assert schemas["Kind"]["enum"] == words("core/recommend/request.h", "AFF_KIND_LIST")
    assert schemas["Placement"]["enum"] == words("core/recommend/request.h", "AFF_PLACEMENT_LIST")
    sources = words("core/recommend/answer.h", "AFF_ORIGIN_LIST")
    assert schemas["Term"]["properties"]["source"]["enum"] == sources
    assert schemas["Origin"]["enum"] == [word for word in sources if word != "impressions"]
    assert schemas["Dropped"]["enum"] == words("core/recommend/answer.h", "AFF_DROP_LIST")
    short = schemas["Recommendation"]["properties"]["short_reason"]["oneOf"][0]["enum"]
    assert short == words("core/recommend/answer.h", "AFF_SHORT_LIST")


def test_events_of_the_document_are_those_of_the_program(root, document):
    text = (root / "core/event/event.h").read_text(encoding="utf-8")
    assert document["components"]["schemas"]["EventKind"]["enum"] == re.findall(r'X\(\d+, \w+, "(\w+)"', text)
    fields = re.findall(r'    X\([A-Z_]+, "(\w+)", ', text)
    common = ["event_id", "kind", "at", "session", "customer", "attributes"]
    assert set(document["components"]["schemas"]["Event"]["properties"]) == set(fields + common)


def test_every_status_that_is_counted_is_described(root, document):
    text = (root / "server" / "counters.h").read_text(encoding="utf-8")
    block = re.search(r"#define AFF_CODE_LIST\(X\)((?:.*\\\n)*.*)", text).group(1)
    counted = set(re.findall(r"X\((\d{3})\)", block))
    described = {code for operation in operations(document).values() for code in operation["responses"]}
    assert described <= counted
    description = document["info"]["description"]
    for code in counted - described - {"500"}:
        assert code in description, code
    for code in GENERAL:
        assert code in description, code


def test_examples_fit_their_schemas(document):
    assert set(document["components"]["examples"]) >= {"Question", "Recommendation", "Order", "Product", "Customer", "Written"}
    for name, example in document["components"]["examples"].items():
        check(document, {"$ref": f"#/components/schemas/{name}"}, example["value"])


def check(document, schema, value):
    whole = {**schema, "components": document["components"]}
    errors = sorted(Draft202012Validator(whole).iter_errors(value), key=lambda error: list(error.path))
    assert not errors, "\n".join(f"{list(error.path)}: {error.message}" for error in errors)


@pytest.fixture(scope="module")
def served(root, build, postgres, template_database, tmp_path_factory):
    """One service over the store of six products for all questions below."""
    from support.database import Database
    from support.service import Service

    database = Database(postgres, postgres.create(template=template_database.name))
    database.sql(SQL)
    one = Service(build, database, tmp_path_factory.mktemp("served") / "log")
    try:
        one.wait("ready")
        yield one
    finally:
        one.finish()
        postgres.drop(database.name)


ORDER = {"id": "c1", "customer": "ann", "ordered_at": "2026-11-20T09:00:00Z",
         "lines": [{"product": "tea", "quantity": 1, "unit_price": 500}]}
EVENT = {"event_id": "e1", "kind": "view", "session": "s1", "product": "tea"}
QUESTIONS = [
    ("GET", "/recommend?cart=tea", None, 200),
    ("GET", "/recommend?cart=tea&cart=nope&customer=ann&explain=full&limit=100", None, 200),
    ("GET", "/recommend?product=tea&kind=substitute&explain=full", None, 200),
    ("GET", "/recommend?customer=ann&kind=replenish,cross_sell&explain=basic", None, 200),
    ("GET", "/recommend?cart=tea&fields=product,name,category,brand&dry_run=true&why_not=gone", None, 200),
    ("GET", "/recommend?strict=true", None, 200),
    ("GET", "/recommend?cart=tea&filter=price<1000&min_orders=5&min_lift=0.1&diversity=0.5&rotation=0.5", None, 200),
    ("GET", "/v1/recommend?cart=tea&locale=de-AT&currency=EUR&session=v1&placement=checkout", None, 200),
    ("GET", "/recommend?limit=0&nonsense=1&cart=", None, 400),
    ("GET", "/recommend?store=other", None, 422),
    ("GET", "/recommend?currency=USD", None, 422),
    ("GET", "/recommend?cart=" + "x" * 4096, None, 414),
    ("POST", "/recommend", {"cart": ["tea", {"product": "pot", "quantity": 2, "price": 3000}], "limit": 3}, 200),
    ("POST", "/v1/recommend", {"cart": [], "customer": None, "explain": "full"}, 200),
    ("POST", "/recommend", {"cart": [1], "x": 2}, 400),
    ("POST", "/recommend", [], 400),
    ("POST", "/recommend", {"customer": "x" * 300000}, 413),
    ("GET", "/v1/products/tea/affinities", None, 200),
    ("GET", "/v1/products/tea/affinities?relation=next&limit=1", None, 200),
    ("GET", "/v1/products/lamp/affinities?min_orders=1", None, 200),
    ("GET", "/v1/products/nope/affinities", None, 404),
    ("GET", "/v1/products/%ff/affinities", None, 400),
    ("GET", "/v1/products/tea/affinities?store=other", None, 422),
    ("POST", "/v1/orders", {"orders": [ORDER]}, 200),
    ("POST", "/v1/orders", [ORDER, {"id": 4}], 200),
    ("POST", "/v1/orders", [{"id": 4, "lines": [{}] * 30}], 422),
    ("POST", "/v1/orders", {"orders": 4}, 400),
    ("POST", "/v1/orders?store=other", [ORDER], 404),
    ("PUT", "/v1/products", {"id": "tea", "name": "Green tea"}, 200),
    ("PUT", "/v1/products", [{"id": "tea", "price": -1}], 422),
    ("PUT", "/v1/customers", {"customers": [{"id": "ann", "country": "AT"}, {"id": ""}]}, 200),
    ("POST", "/v1/events", {"events": [EVENT, {**EVENT, "kind": "nothing"}, EVENT]}, 200),
    ("POST", "/v1/events", EVENT, 200),
    ("POST", "/v1/events", [{"kind": "cart"}], 422),
    ("POST", "/v1/events", [], 400),
    ("POST", "/v1/events?store=other", EVENT, 404),
    ("GET", "/health", None, 200),
    ("GET", "/health/live", None, 200),
    ("GET", "/health/ready", None, 200),
    ("GET", "/metrics", None, 200),
    ("GET", "/openapi.yaml", None, 200),
]


def described_answer(document, method, path, status):
    plain = path.split("?")[0]
    for (name, pattern), operation in operations(document).items():
        if name == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(pattern)), plain):
            return resolve(document, operation["responses"][str(status)])
    raise AssertionError(f"{method} {plain} is not described")


@pytest.mark.parametrize("method,path,body,status", QUESTIONS, ids=lambda value: str(value)[:60])
def test_answers_are_as_described(document, served, method, path, body, status):
    answer = served.request(method, path, json=body) if body is not None else served.request(method, path)
    assert answer.status_code == status, answer.text
    described = described_answer(document, method, path, status)
    media = answer.headers["Content-Type"].split(";")[0]
    assert media in described["content"], media
    if media.endswith("json"):
        check(document, described["content"][media]["schema"], answer.json())
        if status >= 400:
            assert answer.json()["status"] == status


def test_the_document_that_is_served_is_this_one(root, served):
    assert served.get("/openapi.yaml").text == (root / "openapi.yaml").read_text(encoding="utf-8")


def test_every_path_has_options_and_refuses_what_it_has_not(document, served):
    for path in document["paths"]:
        real = path.replace("{id}", "tea")
        allowed = {method.upper() for method in document["paths"][path]} | {"OPTIONS"}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        options = served.request("OPTIONS", real)
        assert options.status_code == 204 and options.content == b""
        assert set(options.headers["Allow"].split(", ")) == allowed
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            refused = served.request(method, real)
            assert refused.status_code == 405, (method, path)
            assert set(refused.headers["Allow"].split(", ")) == allowed
            if method != "HEAD":
                check(document, {"$ref": "#/components/schemas/Problem"}, refused.json())


def test_head_is_get_without_its_body(document, served):
    for path, item in document["paths"].items():
        if "get" in item and path != "/metrics":
            real = path.replace("{id}", "tea")
            head, get = served.request("HEAD", real), served.request("GET", real)
            assert head.status_code == get.status_code and head.content == b""
            assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_a_failed_load_is_described_too(document, service, empty_database):
    one = service(empty_database, wait="live")
    answer = one.get("/health/ready")
    assert answer.status_code == 503
    check(document, {"$ref": "#/components/schemas/Readiness"}, answer.json())
    check(document, {"$ref": "#/components/schemas/Health"}, one.get("/health").json())
    refused = one.get("/recommend")
    assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
    check(document, {"$ref": "#/components/schemas/Problem"}, refused.json())
    assert one.get("/health/live").json() == {"status": "alive"}
