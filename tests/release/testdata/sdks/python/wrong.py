# mypy refuses each line that ends with what it is to say, and no other.
import pulumi_cicd as cicd

cicd.RobotAccount("number in a list", assumable_roles=[1])  # want: List item 0 has incompatible type "int"
cicd.RobotAccount("unknown input", assumable_role=["deploy"])  # want: No overload variant of "RobotAccount"
cicd.RobotAccount("number in a map", tags={"owner": 1})  # want: Dict entry 0 has incompatible type
cicd.RobotAccount("wrong type", user_name=True)  # want: No overload variant of "RobotAccount"
text: str = cicd.RobotAccount("output as a string").user_name  # want: Incompatible types in assignment
