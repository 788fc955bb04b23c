import pulumi
import pulumi_cicd as cicd

# As many robot accounts as the configuration says.
for i in range(pulumi.Config().require_int("robots")):
    cicd.RobotAccount(
        f"robot{i}",
        user_name=f"cicd-bot-{i}",
        group_name=f"PulumiStackUpdaters-{i}",
    )
