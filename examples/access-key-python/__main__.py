import pulumi
import pulumi_cicd as cicd

# A robot account that may assume the roles under /cicd/.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    assumable_roles=["cicd/*"],
)

# Its access key. The first update after 60 days creates a new key. The old key works for 7 more days, and the first
# update after that deletes it. Secrets Manager and SSM hold the current key.
key = cicd.AccessKey(
    "robot",
    user_name=robot.user_name,
    rotate_every="60d",
    previous=cicd.PreviousKey.DELETED,
    hand_over="7d",
    secrets_manager={"name": "cicd/cicd-bot"},
    ssm_path="/cicd/cicd-bot",
)

pulumi.export("accessKeyId", key.access_key_id)
pulumi.export("secretAccessKey", key.secret_access_key)
pulumi.export("previousAccessKeyId", key.previous_access_key_id)
pulumi.export("rotatedAt", key.rotated_at)
pulumi.export("rotateAfter", key.rotate_after)
pulumi.export("secretArn", key.secret_arn)
pulumi.export("ssmParameterNames", key.ssm_parameter_names)
