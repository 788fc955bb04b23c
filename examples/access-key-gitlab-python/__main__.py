import pulumi
import pulumi_cicd as cicd
import pulumi_gitlab as gitlab

# A robot account that may assume the roles under /cicd/.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    assumable_roles=["cicd/*"],
)

# Its access key. The first update after 60 days creates a new key and delivers it. The old key works for 7 more days,
# and the first update after that deletes it.
key = cicd.AccessKey(
    "robot",
    user_name=robot.user_name,
    rotate_every="60d",
    previous=cicd.PreviousKey.DELETED,
    hand_over="7d",
)

# The ID and the secret as one value. Two values would change one after the other. GitLab masks no value with spaces.
pair = pulumi.Output.json_dumps(
    {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    },
    separators=(",", ":"),
)

# A variable of a project: for protected branches and one environment only, masked in logs and hidden in the settings.
gitlab.ProjectVariable(
    "shop",
    project="acme/shop",
    key="ROBOT_KEY",
    value=pair,
    environment_scope="production",
    protected=True,
    masked=True,
    hidden=True,
    raw=True,
    # The package does not say that the value is a secret.
    opts=pulumi.ResourceOptions(additional_secret_outputs=["value"]),
)

pulumi.export("accessKeyId", key.access_key_id)
pulumi.export("rotateAfter", key.rotate_after)
