"""The permissions that docs/how-to/mwaa.md asks for: enough to deploy where all is encrypted, and each one needed."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from environments import Deploy, lay
from own_server import serve

from local_aws.server import Server
from silverline import source

BUCKET, PARAMETERS = "arn:aws:s3:::deploy-judged-artifacts", "arn:aws:ssm:*:*:parameter/silverline/judged/*"
NEEDED = {
    "ssm:GetParameter": PARAMETERS,
    "ssm:PutParameter": PARAMETERS,
    "s3:ListBucket": BUCKET,
    "s3:GetObject": f"{BUCKET}/*",
    "s3:PutObject": f"{BUCKET}/*",
    "kms:GenerateDataKey": "*",
    "kms:Decrypt": "*",
}
REFUSALS = {
    "ssm:GetParameter": "is not authorized to perform: ssm:GetParameter",
    "ssm:PutParameter": "is not authorized to perform: ssm:PutParameter",
    "s3:ListBucket": "that needs s3:GetObject on it, s3:ListBucket on its bucket",  # to be told that there is none
    "s3:GetObject": "that needs s3:GetObject on it, s3:ListBucket on its bucket",
    "s3:PutObject": "is not authorized to perform: s3:PutObject",
    "kms:GenerateDataKey": "is not authorized to perform: kms:GenerateDataKey",
}


@pytest.fixture(scope="module")
def root(local_aws: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    """An account that judges calls, with an environment whose artifacts are encrypted; this process is `deployer`."""
    process, url = serve(tmp_path_factory.mktemp("judging") / "server.log", "--enforce-iam")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        session = boto3.Session(aws_access_key_id="root", aws_secret_access_key="root", region_name="us-east-1")
        patch.setattr(boto3, "DEFAULT_SESSION", session)
        bucket = lay("judged")["artifacts_bucket"]
        key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
        rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        session.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        session.client("iam").create_user(UserName="deployer")
        keys = session.client("iam").create_access_key(UserName="deployer")["AccessKey"]
        patch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"]))
        yield session
    process.terminate()
    process.wait(20)


def allow(root: boto3.Session, actions: set[str]) -> None:
    """Let `deployer` do these and nothing else, in an environment to which nothing was deployed."""
    statements = [{"Effect": "Allow", "Action": action, "Resource": NEEDED[action]} for action in actions]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    root.client("iam").put_user_policy(UserName="deployer", PolicyName="deploy", PolicyDocument=policy)
    root.client("s3").delete_object(Bucket="deploy-judged-artifacts", Key=source.key("flight_delay"))
    root.client("ssm").delete_parameters(Names=["/silverline/judged/git_commit"])


def test_they_are_enough_to_deploy_and_to_find_nothing_to_do(root: boto3.Session, deploy: Deploy) -> None:
    allow(root, set(NEEDED))
    status, said = deploy("--env", "judged")
    assert status == 0, said
    assert "nothing to do" in deploy("--env", "judged")[1]


@pytest.mark.parametrize(("lacking", "says"), REFUSALS.items())
def test_one_that_lacks_is_named(root: boto3.Session, deploy: Deploy, lacking: str, says: str) -> None:
    allow(root, NEEDED.keys() - {lacking})
    status, said = deploy("--env", "judged")
    assert status == 1 and says in said, said
