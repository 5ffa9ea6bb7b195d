"""What policies say to an action on a resource: IAM's rules, one by one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_aws.authorization.policies import Inquiry, Policies, decide
from local_aws.authorization.principals import ANONYMOUS, Principal, role_session, root, service, user

ACCOUNT = "111122223333"
ROLE = role_session(f"arn:aws:iam::{ACCOUNT}:role/team/reader", "alice-session")
USER = user(f"arn:aws:iam::{ACCOUNT}:user/alice")
SAGEMAKER = service("sagemaker.amazonaws.com")
OBJECT = "arn:aws:s3:::data/silver/part-0.parquet"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {**ALLOW, "Effect": "Deny"}


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allowed(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = OBJECT,
    keys: dict[str, list[str]] | None = None,
) -> bool:
    """Whether a user with these statements may do it."""
    inquiry = Inquiry(USER, action, resource, {name.lower(): values for name, values in (keys or {}).items()})
    return decide(inquiry, Policies([document(*statements)])).allowed


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:GetObject", "s3:GetObjectTagging", False),
        ("s3:GetObjec?", "s3:GetObject", True),
        ("s3:Get?", "s3:GetObject", False),
        ("*", "s3:GetObject", True),
        ("s3*", "s3:GetObject", True),
        ("s3.GetObject", "s3:GetObject", False),
        (["iam:*", "s3:GetObject"], "s3:GetObject", True),
        ([], "s3:GetObject", False),
    ],
)
def test_an_action_is_matched_by_its_pattern_whatever_the_case(pattern: Any, action: str, matches: bool) -> None:
    assert allowed({**ALLOW, "Action": pattern}, action=action) is matches


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:aws:s3:::data/*", OBJECT, True),
        ("arn:aws:s3:::data/silver/*", OBJECT, True),
        ("arn:aws:s3:::data/gold/*", OBJECT, False),
        ("arn:aws:s3:::data", OBJECT, False),
        ("arn:aws:s3:::Data/*", OBJECT, False),
        ("arn:aws:s3:::*", OBJECT, True),
        ("arn:aws:s3:::dat?/*", OBJECT, True),
        ("arn:aws:glue:*:*:table/db/*", "arn:aws:glue:us-east-1:111122223333:table/db/t", True),
        ("arn:aws:glue:*:*:table/db/*", "arn:aws:glue:us-east-1:111122223333:table/other/t", False),
        ("*", "*", True),
        ("arn:aws:s3:::data/*", "*", False),
        ("arn:aws:s3:::data/[a]", "arn:aws:s3:::data/a", False),
        ("arn:aws:s3:::data/*", "arn:aws:s3:::data/two\nlines", True),
        (["arn:aws:s3:::other/*", "arn:aws:s3:::data/*"], OBJECT, True),
    ],
)
def test_a_resource_is_matched_by_its_pattern_and_its_case(pattern: Any, resource: str, matches: bool) -> None:
    assert allowed({**ALLOW, "Resource": pattern}, resource=resource) is matches


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        ([], False),
        ([ALLOW], True),
        ([DENY], False),
        ([ALLOW, DENY], False),
        ([DENY, ALLOW], False),
        ([ALLOW, {**DENY, "Action": "s3:PutObject"}], True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::data/gold/*"}], True),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::data/*"}], False),
        ([ALLOW, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::data/*"}], True),
        ([ALLOW, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}], False),
        ([ALLOW, {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}], True),
        ([ALLOW, {"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"}], False),
    ],
)
def test_what_no_statement_denies_and_one_allows_is_allowed(statements: list[dict[str, Any]], is_allowed: bool) -> None:
    assert allowed(*statements) is is_allowed


CASES: list[tuple[str, Any, list[str], bool]] = [
    ("StringEquals", "a", ["a"], True),
    ("StringEquals", "a", ["A"], False),
    ("StringEquals", ["a", "b"], ["b"], True),
    ("StringEquals", "a*", ["ab"], False),
    ("StringEquals", "a", [], False),
    ("stringequals", "a", ["a"], True),
    ("StringNotEquals", "a", ["b"], True),
    ("StringNotEquals", ["a", "b"], ["b"], False),
    ("StringNotEquals", "a", [], True),
    ("StringEqualsIgnoreCase", "Prod", ["pROD"], True),
    ("StringNotEqualsIgnoreCase", "Prod", ["pROD"], False),
    ("StringLike", "silver/*", ["silver/x/y"], True),
    ("StringLike", "silver/?", ["silver/xy"], False),
    ("StringLike", ["gold/*", ""], [""], True),
    ("StringNotLike", "silver/*", ["gold/x"], True),
    ("StringNotLike", "silver/*", [], True),
    ("NumericEquals", "10", ["10.0"], True),
    ("NumericEquals", 10, ["10"], True),
    ("NumericNotEquals", "10", ["11"], True),
    ("NumericLessThan", "10", ["9"], True),
    ("NumericLessThan", "10", ["10"], False),
    ("NumericLessThanEquals", "10", ["10"], True),
    ("NumericGreaterThan", "10", ["10.5"], True),
    ("NumericGreaterThanEquals", "10", ["9"], False),
    ("NumericEquals", "10", ["ten"], False),
    ("DateEquals", "2026-01-01T00:00:00Z", ["2026-01-01T00:00:00Z"], True),
    ("DateNotEquals", "2026-01-01T00:00:00Z", ["2026-01-02T00:00:00Z"], True),
    ("DateLessThan", "2026-01-01T00:00:00Z", ["2025-12-31T23:59:59Z"], True),
    ("DateLessThanEquals", "2026-01-01T00:00:00+01:00", ["2025-12-31T23:00:00Z"], True),
    ("DateGreaterThan", "2026-01-01", ["2026-06-01T12:00:00Z"], True),
    ("DateGreaterThanEquals", "1767225600", ["2026-01-01T00:00:00Z"], True),
    ("DateGreaterThan", "2027-01-01T00:00:00Z", ["2026-06-01T12:00:00Z"], False),
    ("Bool", "true", ["true"], True),
    ("Bool", True, ["true"], True),
    ("Bool", "false", ["true"], False),
    ("Bool", "true", [], False),
    ("BinaryEquals", "QmluYXJ5", ["QmluYXJ5"], True),
    ("BinaryEquals", "QmluYXJ5", ["b3RoZXI="], False),
    ("IpAddress", "203.0.113.0/24", ["203.0.113.7"], True),
    ("IpAddress", ["10.0.0.0/8", "127.0.0.1"], ["127.0.0.1"], True),
    ("IpAddress", "203.0.113.0/24", ["198.51.100.1"], False),
    ("IpAddress", "2001:db8::/32", ["2001:db8::1"], True),
    ("IpAddress", "2001:db8::/32", ["127.0.0.1"], False),
    ("NotIpAddress", "203.0.113.0/24", ["198.51.100.1"], True),
    ("NotIpAddress", "203.0.113.0/24", [], True),
    ("ArnLike", "arn:aws:s3:::data*", ["arn:aws:s3:::data-1"], True),
    ("ArnLike", "arn:aws:sns:*:*:topic", ["arn:aws:sns:us-east-1:1:topic"], True),
    ("ArnLike", "arn:*", ["arn:aws:sns:us-east-1:1:topic"], False),
    ("ArnLike", "arn:aws:iam::1*:role/x", ["arn:aws:iam::111122223333:role/x"], True),
    ("ArnLike", "arn:aws:*:role/x", ["arn:aws:iam::1:role/x"], False),
    ("ArnEquals", "arn:aws:s3:::data*", ["arn:aws:s3:::data-1"], True),
    ("ArnEquals", "arn:aws:s3:::data", ["no-arn"], False),
    ("ArnNotEquals", "arn:aws:s3:::data", ["arn:aws:s3:::other"], True),
    ("ArnNotLike", "arn:aws:s3:::d*", ["arn:aws:s3:::data"], False),
    ("Null", "true", [], True),
    ("Null", "true", ["a"], False),
    ("Null", "false", ["a"], True),
    ("Null", False, [], False),
    ("StringEqualsIfExists", "a", [], True),
    ("StringEqualsIfExists", "a", ["b"], False),
    ("StringNotEqualsIfExists", "a", ["a"], False),
    ("BoolIfExists", "true", [], True),
    ("BoolIfExists", "true", ["false"], False),
    ("NumericLessThanIfExists", "5", [], True),
    ("ArnLikeIfExists", "arn:aws:s3:::data", [], True),
    ("IpAddressIfExists", "10.0.0.0/8", [], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a", "b"], [], True),
    ("ForAllValues:StringLike", "team-*", ["team-a", "team-b"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["a", "d"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], [], False),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
    ("ForAnyValue:StringNotEquals", ["a"], [], False),
    ("ForAnyValue:ArnLike", "arn:aws:iam::1:role/*", ["x", "arn:aws:iam::1:role/r"], True),
    ("ForAllValues:StringEqualsIfExists", ["a"], [], True),
]


@pytest.mark.parametrize(("operator", "wanted", "values", "holds"), CASES)
def test_a_condition_holds_or_not(operator: str, wanted: Any, values: list[str], holds: bool) -> None:
    conditional = {**ALLOW, "Condition": {operator: {"key:Name": wanted}}}
    assert allowed(conditional, keys={"key:name": values}) is holds


@pytest.mark.parametrize(("operator", "wanted", "values", "holds"), CASES)
def test_a_denial_has_effect_where_its_condition_holds(
    operator: str, wanted: Any, values: list[str], holds: bool
) -> None:
    conditional = {**DENY, "Condition": {operator: {"key:Name": wanted}}}
    assert allowed(ALLOW, conditional, keys={"key:name": values}) is not holds


def test_all_conditions_of_a_statement_must_hold() -> None:
    both = {"StringEquals": {"a:One": "1", "a:Two": "2"}, "Bool": {"a:Three": "true"}}
    conditional = {**ALLOW, "Condition": both}
    full = {"a:One": ["1"], "a:Two": ["2"], "a:Three": ["true"]}
    assert allowed(conditional, keys=full)
    assert not any(allowed(conditional, keys={**full, name: ["9"]}) for name in full)


def test_a_condition_that_nobody_understands_allows_nothing_and_denies() -> None:
    strange = {"Condition": {"StringSounds": {"a:One": "1"}}}
    assert not allowed({**ALLOW, **strange}, keys={"a:One": ["1"]})
    assert not allowed(ALLOW, {**DENY, **strange}, keys={"a:One": ["1"]})


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/alice/x", True),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/x", False),
        ("arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/alice/x", True),
        ("arn:aws:s3:::home/${aws:PrincipalTag/team}/*", "arn:aws:s3:::home/*/x", True),
        ("arn:aws:s3:::home/${aws:PrincipalTag/team}/*", "arn:aws:s3:::home/alice/x", False),
        ("arn:aws:s3:::home/${aws:nothing}/*", "arn:aws:s3:::home//x", False),
        ("arn:aws:s3:::home/${aws:nothing, 'public'}/*", "arn:aws:s3:::home/public/x", True),
        ("arn:aws:s3:::home/${*}", "arn:aws:s3:::home/*", True),
        ("arn:aws:s3:::home/${*}", "arn:aws:s3:::home/x", False),
        ("arn:aws:s3:::home/${$}{x}", "arn:aws:s3:::home/${x}", True),
    ],
)
def test_a_variable_stands_for_the_requests_value_and_no_pattern(pattern: str, resource: str, matches: bool) -> None:
    keys = {"aws:username": ["alice"], "aws:PrincipalTag/team": ["*"]}
    assert allowed({**ALLOW, "Resource": pattern}, resource=resource, keys=keys) is matches


@pytest.mark.parametrize(
    ("operator", "wanted", "holds"),
    [
        ("StringEquals", "${aws:username}", True),
        ("StringLike", "home/${aws:username}", False),
        ("StringLike", "${aws:username}*", True),
        ("StringEquals", "${aws:unknown}", False),
        ("StringNotEquals", "${aws:username}", False),
        ("ArnLike", "arn:aws:iam::1:user/${aws:username}", False),
    ],
)
def test_a_variable_can_stand_in_a_condition(operator: str, wanted: str, holds: bool) -> None:
    keys = {"aws:username": ["alice"], "s3:prefix": ["alice"]}
    assert allowed({**ALLOW, "Condition": {operator: {"s3:prefix": wanted}}}, keys=keys) is holds


def test_policies_of_the_old_version_have_no_variables() -> None:
    old = document({**ALLOW, "Resource": "arn:aws:s3:::home/${aws:username}"}, version="2008-10-17")
    for resource, is_allowed in (("arn:aws:s3:::home/alice", False), ("arn:aws:s3:::home/${aws:username}", True)):
        inquiry = Inquiry(USER, "s3:GetObject", resource, {"aws:username": ["alice"]})
        assert decide(inquiry, Policies([old])).allowed is is_allowed


def resource_policy(principal: Any, effect: str = "Allow", element: str = "Principal") -> str:
    return document({"Effect": effect, element: principal, "Action": "s3:*", "Resource": "arn:aws:s3:::data/*"})


READS = [document({**ALLOW, "Action": "s3:GetObject"})]
NOTHING: list[str] = []
ACCOUNT_ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
ROLE_ARN = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/team/reader"}
SESSION_ARN = {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/alice-session"}
NO_IDENTITY = "because no identity-based policy allows the s3:GetObject action"
NO_BOUNDARY = "because no permissions boundary allows the s3:GetObject action"
NO_SESSION = "because no session policy allows the s3:GetObject action"
NO_RESOURCE = "because no resource-based policy allows the s3:GetObject action"
DENIED = "with an explicit deny in a"


@pytest.mark.parametrize(
    ("principal", "policies", "reason"),
    [
        # identity, boundary and session policies have to allow it all
        (ROLE, Policies(READS), ""),
        (ROLE, Policies(NOTHING), NO_IDENTITY),
        (ROLE, Policies(READS, boundary=NOTHING), NO_BOUNDARY),
        (ROLE, Policies(READS, boundary=READS), ""),
        (ROLE, Policies(NOTHING, boundary=READS), NO_IDENTITY),
        (ROLE, Policies(READS, session=NOTHING), NO_SESSION),
        (ROLE, Policies(READS, session=READS), ""),
        (ROLE, Policies(NOTHING, session=READS), NO_IDENTITY),
        (ROLE, Policies(READS, boundary=NOTHING, session=NOTHING), NO_BOUNDARY),
        (ROLE, Policies([*READS, document(DENY)]), f"{DENIED}n identity-based policy"),
        (ROLE, Policies(READS, boundary=[*READS, document(DENY)]), f"{DENIED} permissions boundary"),
        (ROLE, Policies(READS, session=[*READS, document(DENY)]), f"{DENIED} session policy"),
        # a resource's own policy allows by itself, in so far as it names the principal
        (ROLE, Policies(resource=resource_policy("*")), ""),
        (ROLE, Policies(resource=resource_policy({"AWS": "*"})), ""),
        (ROLE, Policies(resource=resource_policy(ROLE_ARN)), ""),
        (ROLE, Policies(resource=resource_policy(SESSION_ARN)), ""),
        (ROLE, Policies(resource=resource_policy(ACCOUNT_ROOT)), NO_IDENTITY),
        (ROLE, Policies(READS, resource=resource_policy(ACCOUNT_ROOT)), ""),
        (ROLE, Policies(resource=resource_policy({"AWS": ACCOUNT})), NO_IDENTITY),
        (ROLE, Policies(resource=resource_policy({"AWS": "arn:aws:iam::1:role/reader"})), NO_IDENTITY),
        (ROLE, Policies(resource=resource_policy({"Service": "sagemaker.amazonaws.com"})), NO_IDENTITY),
        (ROLE, Policies(boundary=NOTHING, resource=resource_policy(ROLE_ARN)), NO_BOUNDARY),
        (ROLE, Policies(session=NOTHING, resource=resource_policy(ROLE_ARN)), NO_SESSION),
        (ROLE, Policies(boundary=NOTHING, session=NOTHING, resource=resource_policy(SESSION_ARN)), ""),
        (USER, Policies(boundary=NOTHING, resource=resource_policy({"AWS": USER.arn})), ""),
        (ROLE, Policies(READS, resource=resource_policy("*", "Deny")), f"{DENIED} resource-based policy"),
        (ROLE, Policies(READS, resource=resource_policy(ROLE_ARN, "Deny")), f"{DENIED} resource-based policy"),
        (ROLE, Policies(READS, resource=resource_policy(ACCOUNT_ROOT, "Deny")), f"{DENIED} resource-based policy"),
        (USER, Policies(READS, resource=resource_policy(ROLE_ARN, "Deny")), ""),
        (ROLE, Policies(READS, resource=resource_policy(ROLE_ARN, "Deny", "NotPrincipal")), ""),
        (USER, Policies(READS, resource=resource_policy(ROLE_ARN, "Deny", "NotPrincipal")), f"{DENIED} resource-"),
        # what only the resource's own policy can give: a key, a role, something of another account
        (ROLE, Policies(READS, resource_decides=True), NO_RESOURCE),
        (ROLE, Policies(READS, resource=resource_policy(ACCOUNT_ROOT), resource_decides=True), ""),
        (ROLE, Policies(NOTHING, resource=resource_policy(ACCOUNT_ROOT), resource_decides=True), NO_IDENTITY),
        (USER, Policies(READS, resource=resource_policy({"AWS": USER.arn}), crosses_accounts=True), ""),
        (USER, Policies(READS, crosses_accounts=True), NO_RESOURCE),
        (USER, Policies(NOTHING, resource=resource_policy({"AWS": USER.arn}), crosses_accounts=True), NO_IDENTITY),
        (USER, Policies(NOTHING, resource=resource_policy("*"), crosses_accounts=True), NO_IDENTITY),
        (ANONYMOUS, Policies(resource=resource_policy("*"), crosses_accounts=True), ""),
        # who has no identity policies
        (ANONYMOUS, Policies(), NO_IDENTITY),
        (ANONYMOUS, Policies(resource=resource_policy("*")), ""),
        (ANONYMOUS, Policies(resource=resource_policy(ACCOUNT_ROOT)), NO_IDENTITY),
        (SAGEMAKER, Policies(resource=resource_policy({"Service": SAGEMAKER.arn})), ""),
        (SAGEMAKER, Policies(resource=resource_policy({"Service": "glue.amazonaws.com"})), NO_IDENTITY),
    ],
)
def test_the_kinds_of_policies_work_together(principal: Principal, policies: Policies, reason: str) -> None:
    decision = decide(Inquiry(principal, "s3:GetObject", OBJECT), policies)
    assert decision.allowed is (reason == "")
    assert decision.reason.startswith(reason)


def test_the_principals_are_named_as_aws_names_them() -> None:
    assert ROLE.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/alice-session"
    assert (ROLE.name, ROLE.account, ROLE.is_root) == ("reader", ACCOUNT, False)
    assert root(ACCOUNT).arn == f"arn:aws:iam::{ACCOUNT}:root" and root(ACCOUNT).is_root


ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*", "glue:GetTable", "*", "iam:Pass*"])
RESOURCES = st.sampled_from(["*", OBJECT, "arn:aws:s3:::data/*", "arn:aws:s3:::other/*", "arn:aws:glue:*:*:catalog"])
CONDITIONS = st.sampled_from(
    [{}, {"Bool": {"aws:SecureTransport": "true"}}, {"StringNotEquals": {"a:b": "c"}}, {"Null": {"a:b": "false"}}]
)
STATEMENTS = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect,
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    ACTIONS,
    RESOURCES,
    CONDITIONS,
)
DOCUMENTS = st.lists(st.lists(STATEMENTS, max_size=4).map(lambda statements: document(*statements)), max_size=3)
POLICIES = st.builds(
    Policies, DOCUMENTS, st.none() | DOCUMENTS, st.none() | DOCUMENTS, st.none() | st.just(resource_policy("*"))
)
ASKED = Inquiry(ROLE, "s3:GetObject", OBJECT, {"aws:securetransport": ["true"]})


@given(POLICIES)
def test_a_denial_always_wins(policies: Policies) -> None:
    denied = Policies([*policies.identity, document(DENY)], policies.boundary, policies.session, policies.resource)
    assert decide(ASKED, denied).explicit


@given(POLICIES, STATEMENTS)
def test_one_statement_more_that_denies_never_allows_more(policies: Policies, statement: dict[str, Any]) -> None:
    more = [*policies.identity, document({**statement, "Effect": "Deny"})]
    narrowed = Policies(more, policies.boundary, policies.session, policies.resource)
    assert decide(ASKED, policies).allowed or not decide(ASKED, narrowed).allowed


@given(POLICIES, STATEMENTS)
def test_one_statement_more_that_allows_never_allows_less(policies: Policies, statement: dict[str, Any]) -> None:
    more = [*policies.identity, document({**statement, "Effect": "Allow"})]
    widened = Policies(more, policies.boundary, policies.session, policies.resource)
    assert decide(ASKED, widened).allowed or not decide(ASKED, policies).allowed


@given(POLICIES, DOCUMENTS)
def test_a_limit_never_allows_more(policies: Policies, limit: list[str]) -> None:
    limited = Policies(policies.identity, limit, policies.session, policies.resource)
    unlimited = Policies(policies.identity, None, policies.session, policies.resource)
    assert decide(ASKED, unlimited).allowed or not decide(ASKED, limited).allowed


@given(POLICIES)
def test_the_order_of_documents_does_not_matter(policies: Policies) -> None:
    turned = Policies(policies.identity[::-1], policies.boundary, policies.session, policies.resource)
    assert decide(ASKED, turned) == decide(ASKED, policies)
