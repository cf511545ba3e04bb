//! The AWS endpoint of the sandbox: EC2, Route 53, S3 and STS on one port, dispatched by the signature's service name.
