import pulumi
import pulumi_cicd as cicd

# An IAM user without permissions of its own, in a group that allows nothing but assuming roles.
robot = cicd.RobotAccount(
    "robot",
    user_name="cicd-bot",
    group_name="PulumiStackUpdaters",
)

pulumi.export("userName", robot.user_name)
pulumi.export("userArn", robot.user_arn)
pulumi.export("groupName", robot.group_name)
pulumi.export("policy", robot.policy)
