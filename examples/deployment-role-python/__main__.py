import pulumi
import pulumi_cicd as cicd

# An IAM user that may assume the roles under /cicd/, and do nothing else.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    group_name="PulumiStackUpdaters",
    assumable_roles=["cicd/*"],
)

# One role for each deployment target, with its own permissions, which only the robot may assume.
staging = cicd.DeploymentRole(
    "staging",
    role_name="staging",
    path="/cicd/",
    trusted=[robot.user_arn],
    inline_policies={
        "deploy": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::example-staging"},
                {
                    "Effect": "Allow",
                    "Action": ["s3:PutObject", "s3:DeleteObject"],
                    "Resource": "arn:aws:s3:::example-staging/*",
                },
            ],
        },
    },
)

# In production nothing is deleted, sessions last an hour at most, and each has a name that begins with "gha-".
production = cicd.DeploymentRole(
    "production",
    role_name="production",
    path="/cicd/",
    trusted=[robot.user_arn],
    session_names=["gha-*"],
    max_session_duration=3600,
    inline_policies={
        "deploy": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::example-production"},
                {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::example-production/*"},
            ],
        },
    },
)

pulumi.export("userArn", robot.user_arn)
pulumi.export("stagingRoleArn", staging.role_arn)
pulumi.export("productionRoleArn", production.role_arn)
pulumi.export("productionTrustPolicy", production.trust_policy)
