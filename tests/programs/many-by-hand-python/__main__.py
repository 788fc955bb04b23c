import json

import pulumi
import pulumi_aws as aws

# The four resources of a RobotAccount, as many times as the configuration says, with one look-up for all.
policy = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Action": ["sts:AssumeRole"],
                "Effect": "Allow",
                "Resource": f"arn:aws:iam::{aws.get_caller_identity().account_id}:role/*",
            }
        ],
    }
)
for i in range(pulumi.Config().require_int("robots")):
    user = aws.iam.User(
        f"robot{i}",
        name=f"cicd-bot-{i}",
        tags={"purpose": "Account used to perform Pulumi stack updates on CI/CD."},
    )
    group = aws.iam.Group(f"robot{i}", name=f"PulumiStackUpdaters-{i}")
    aws.iam.GroupMembership(f"robot{i}", group=group.name, users=[user.name])
    aws.iam.GroupPolicy(f"robot{i}", group=group.name, policy=policy)
