using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;

return await Deployment.RunAsync(() =>
{
    // An IAM user without permissions of its own, in a group that allows nothing but assuming roles.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        GroupName = "PulumiStackUpdaters",
    });

    return new Dictionary<string, object?>
    {
        ["userName"] = robot.UserName,
        ["userArn"] = robot.UserArn,
        ["groupName"] = robot.GroupName,
        ["policy"] = robot.Policy,
    };
});
