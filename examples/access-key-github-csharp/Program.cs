using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;
using Github = Pulumi.Github;

return await Deployment.RunAsync(() =>
{
    // A robot account that may assume the roles under /cicd/.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        AssumableRoles = { "cicd/*" },
    });

    // Its access key. The first update after 60 days creates a new key and delivers it. The old key works for 7 more
    // days, and the first update after that deletes it.
    var key = new AccessKey("robot", new AccessKeyArgs
    {
        UserName = robot.UserName,
        RotateEvery = "60d",
        Previous = PreviousKey.Deleted,
        HandOver = "7d",
    });

    // The ID and the secret as one value. Two values would change one after the other.
    var pair = Output.JsonSerialize(Output.Create(new Dictionary<string, Output<string>>
    {
        ["AWS_ACCESS_KEY_ID"] = key.AccessKeyId,
        ["AWS_SECRET_ACCESS_KEY"] = key.SecretAccessKey,
    }));

    // A secret of a repository. Everybody who can push to the repository can read it.
    _ = new Github.ActionsSecret("tools", new Github.ActionsSecretArgs
    {
        Repository = "tools",
        SecretName = "ROBOT_KEY",
        Value = pair,
    });

    return new Dictionary<string, object?>
    {
        ["accessKeyId"] = key.AccessKeyId,
        ["rotateAfter"] = key.RotateAfter,
    };
});
