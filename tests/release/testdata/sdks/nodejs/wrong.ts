// The type checker refuses each line that ends with what it is to say, and no other.
import * as pulumi from "@pulumi/pulumi";
import * as cicd from "@pulumi-cicd/cicd";

new cicd.RobotAccount("number in a list", {
    assumableRoles: [1], // want: Type 'number' is not assignable to type 'Input<string>'
});
new cicd.RobotAccount("unknown input", {
    assumableRole: ["deploy"], // want: 'assumableRole' does not exist in type 'RobotAccountArgs'
});
new cicd.RobotAccount("no list", {
    assumableRoles: "deploy", // want: Type 'string' is not assignable to type
});
new cicd.RobotAccount("number in a map", {
    tags: { owner: 1 }, // want: Type 'number' is not assignable to type
});
new cicd.RobotAccount("wrong output", {
    userName: pulumi.output(true), // want: is not assignable to type 'Input<string | undefined>'
});
const text: string = new cicd.RobotAccount("output as a string").userName; // want: is not assignable to type 'string'
export default text;
