//! The DNS server of the sandbox: answers from the hosted zones and the load balancers' names, never recurses.
