import re

import pulumi
import pulumi_cicd as cicd

# A robot account whose inputs are the configuration's.
inputs = pulumi.Config().require_object("inputs")
robot = cicd.RobotAccount(
    "robot",
    **{re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in inputs.items()},
)

pulumi.export("userName", robot.user_name)
pulumi.export("userArn", robot.user_arn)
pulumi.export("groupName", robot.group_name)
pulumi.export("policy", robot.policy)
