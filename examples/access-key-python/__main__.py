import pulumi
import pulumi_cicd as cicd

# A robot account for the roles under /cicd/, with an access key. The first update after 90 days rotates the key. The
# one before it goes on working until the next rotation. Secrets Manager and SSM hold the current one.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    assumable_roles=["cicd/*"],
    access_key={
        "rotate_every": "90d",
        "secrets_manager": {"name": "cicd/cicd-bot"},
        "ssm_path": "/cicd/cicd-bot",
    },
)

pulumi.export("accessKeyId", robot.access_key_id)
pulumi.export("secretAccessKey", robot.secret_access_key)
pulumi.export("previousAccessKeyId", robot.previous_access_key_id)
pulumi.export("accessKeyRotateAfter", robot.access_key_rotate_after)
pulumi.export("secretArn", robot.secret_arn)
pulumi.export("ssmParameterNames", robot.ssm_parameter_names)
