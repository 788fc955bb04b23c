import pulumi
import pulumi_cicd as cicd

# The account's trust in the tokens of GitHub Actions and of gitlab.com. It allows nothing by itself.
github = cicd.OidcProvider("github", issuer="https://token.actions.githubusercontent.com")
gitlab = cicd.OidcProvider("gitlab", issuer="https://gitlab.com")

# An IAM user for the system that has no OpenID Connect. It may assume the role for staging, and do nothing else.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    group_name="PulumiStackUpdaters",
    assumable_roles=["cicd/staging"],
)

# The robot may assume this role, and so may jobs of the repository acme/shop that name the environment staging.
staging = cicd.DeploymentRole(
    "staging",
    role_name="staging",
    path="/cicd/",
    trusted=[robot.user_arn],
    trusted_jobs=[
        {
            "github": {
                "issuer": github.issuer,
                "repository": "acme/shop",
                "owner_id": "4021",
                "repository_id": "170033",
                "environment": "staging",
            },
        },
    ],
    managed_policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"],
)

# Only jobs of the repository that name the environment production may assume this one.
production = cicd.DeploymentRole(
    "production",
    role_name="production",
    path="/cicd/",
    trusted_jobs=[
        {
            "github": {
                "issuer": github.issuer,
                "repository": "acme/shop",
                "owner_id": "4021",
                "repository_id": "170033",
                "environment": "production",
            },
        },
    ],
    managed_policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"],
)

# Only pipelines of the GitLab project acme/website for protected tags such as v1.2 may assume this one.
website = cicd.DeploymentRole(
    "website",
    role_name="website",
    path="/cicd/",
    trusted_jobs=[
        {
            "gitlab": {
                "issuer": gitlab.issuer,
                "project": "acme/website",
                "project_id": "51001",
                "tag": "v*",
                "protected_ref": True,
            },
        },
    ],
    managed_policy_arns=["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
)

pulumi.export("userArn", robot.user_arn)
pulumi.export("stagingRoleArn", staging.role_arn)
pulumi.export("productionRoleArn", production.role_arn)
pulumi.export("productionTrustPolicy", production.trust_policy)
pulumi.export("websiteRoleArn", website.role_arn)
