# mypy accepts outputs of other resources as whole inputs, as elements of lists and as values of maps.
import pulumi
import pulumi_cicd as cicd

role_arn: pulumi.Output[str] = pulumi.Output.from_input("arn:aws:iam::123456789012:role/deploy")

robot = cicd.RobotAccount(
    "robot",
    user_name=pulumi.Output.from_input("cicd-bot"),
    assumable_roles=[role_arn, "deploy", pulumi.Output.concat("cicd/", role_arn)],
    source_ips=["203.0.113.0/24"],
    tags={"owner": role_arn, "purpose": "robot"},
    force_destroy=True,
    opts=pulumi.ResourceOptions(protect=True),
)

# No output is optional.
outputs: list[pulumi.Output[str]] = [
    robot.user_name,
    robot.user_arn,
    robot.user_unique_id,
    robot.group_name,
    robot.group_arn,
    robot.group_unique_id,
    robot.policy_name,
    robot.policy,
]

# No input is required.
cicd.RobotAccount("defaults")
