import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

// The four resources of a RobotAccount, as many times as the configuration says, with one look-up for all.
const robots = new pulumi.Config().requireNumber("robots");
const currentAwsIdentity = pulumi.output(aws.getCallerIdentity());
for (let i = 0; i < robots; i++) {
    const user = new aws.iam.User(`robot${i}`, {
        name: `cicd-bot-${i}`,
        tags: {
            "purpose": "Account used to perform Pulumi stack updates on CI/CD.",
        },
    });

    const group = new aws.iam.Group(`robot${i}`, {
        name: `PulumiStackUpdaters-${i}`,
    });

    new aws.iam.GroupMembership(`robot${i}`, {
        group: group.name,
        users: [user.name],
    });

    new aws.iam.GroupPolicy(`robot${i}`, {
        group: group.name,
        policy: {
            Version: "2012-10-17",
            Statement: [{
                Action: [
                    "sts:AssumeRole",
                ],
                Effect: "Allow",
                Resource: pulumi.interpolate`arn:aws:iam::${currentAwsIdentity.accountId}:role/*`,
                Sid: "",
            }],
        },
    });
}
