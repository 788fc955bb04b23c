// AWS credentials for CI/CD systems: robot accounts that may assume roles, and nothing else.
package cicd
