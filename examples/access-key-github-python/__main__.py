import pulumi
import pulumi_cicd as cicd
import pulumi_github as github

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

# The ID and the secret as one value. Two values would change one after the other.
pair = pulumi.Output.json_dumps(
    {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }
)

# A secret of a repository. Everybody who can push to the repository can read it.
github.ActionsSecret(
    "tools",
    repository="tools",
    secret_name="ROBOT_KEY",
    value=pair,
)

pulumi.export("accessKeyId", key.access_key_id)
pulumi.export("rotateAfter", key.rotate_after)
