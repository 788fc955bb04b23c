import * as pulumi from "@pulumi/pulumi";
import * as cicd from "@pulumi-cicd/cicd";

// As many robot accounts as the configuration says.
const robots = new pulumi.Config().requireNumber("robots");
for (let i = 0; i < robots; i++) {
    new cicd.RobotAccount(`robot${i}`, {
        userName: `cicd-bot-${i}`,
        groupName: `PulumiStackUpdaters-${i}`,
    });
}
