// AWS credentials for CI/CD systems: robot accounts that may assume roles and nothing else, access keys that rotate, and the roles that are assumed.
package cicd
