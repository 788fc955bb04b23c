import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

// The program of "Managing AWS Credentials on CI/CD, Part 1", as published.

const user = new aws.iam.User("cicdUser", {
    name: "cicd-bot",
    tags: {
        "purpose": "Account used to perform Pulumi stack updates on CI/CD.",
    },
});

const group = new aws.iam.Group("pulumiStackUpdaters", {
    name: "PulumiStackUpdaters",
});

const groupMembership = new aws.iam.GroupMembership("cicdUserMembership", {
    group: group.name,
    users: [user.name],
});

// The result of the look-up is a promise, which the published program leaves out.
const currentAwsIdentity = pulumi.output(aws.getCallerIdentity());

const groupPolicy = new aws.iam.GroupPolicy("pulumiStackUpdatersPolicy", {
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
