//! The XML of a reservation with its one instance, element names as the API has them.

use jiff::Timestamp;

use super::super::sts::ACCOUNT;
use super::super::xml::Xml;
use super::world::{Instance, State};

/// A time as EC2 prints it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// `<instanceState>` and its kin.
pub(super) fn state(name: &str, state: State, x: &mut Xml) {
    x.element(name, |x| {
        x.text("code", state.code().to_string());
        x.text("name", state.name());
    });
}

/// One `<item>` of a reservation set.
pub(super) fn reservation(instance: &Instance, x: &mut Xml) {
    x.element("item", |x| {
        x.text("reservationId", &instance.reservation);
        x.text("ownerId", ACCOUNT);
        x.element("groupSet", |_| {});
        x.element("instancesSet", |x| x.element("item", |x| body(instance, x)));
    });
}

fn body(instance: &Instance, x: &mut Xml) {
    let seed = &instance.seed;
    let gone = instance.state == State::Terminated;
    let launched = time(instance.launched);
    x.text("instanceId", &instance.id);
    x.text("imageId", instance.image);
    state("instanceState", instance.state, x);
    x.text(
        "privateDnsName",
        if gone { String::new() } else { instance.private_dns() },
    );
    x.text("dnsName", instance.public_dns().unwrap_or_default());
    x.text("reason", "");
    x.text("keyName", instance.key_name);
    x.text("amiLaunchIndex", "0");
    x.element("productCodes", |_| {});
    x.text("instanceType", &seed.instance_type);
    x.text("launchTime", &launched);
    x.element("placement", |x| {
        x.text("availabilityZone", &seed.zone);
        x.text("groupName", "");
        x.text("tenancy", "default");
    });
    x.element("monitoring", |x| x.text("state", "disabled"));
    if !gone {
        x.text("subnetId", &instance.subnet);
        x.text("vpcId", &instance.vpc);
        x.text("privateIpAddress", seed.private_ip.to_string());
        x.optional("ipAddress", seed.public_ip.map(|address| address.to_string()));
        x.text("sourceDestCheck", "true");
        groups(instance, x);
    }
    x.text("architecture", "x86_64");
    x.text("rootDeviceType", "ebs");
    x.text("rootDeviceName", "/dev/xvda");
    x.element("blockDeviceMapping", |x| {
        if gone {
            return;
        }
        x.element("item", |x| {
            x.text("deviceName", "/dev/xvda");
            x.element("ebs", |x| {
                x.text("volumeId", &instance.volume);
                x.text("status", "attached");
                x.text("attachTime", &launched);
                x.text("deleteOnTermination", "true");
            });
        });
    });
    x.text("virtualizationType", "hvm");
    x.text("clientToken", "");
    tags(instance, x);
    x.text("hypervisor", "xen");
    x.element("networkInterfaceSet", |x| {
        if !gone {
            interface(instance, x);
        }
    });
    if let Some(profile) = &seed.profile {
        x.element("iamInstanceProfile", |x| {
            x.text("arn", format!("arn:aws:iam::{ACCOUNT}:instance-profile/{profile}"));
            x.text("id", "AIPACOGDECKSANDBOX000");
        });
    }
    x.text("ebsOptimized", "false");
}

fn groups(instance: &Instance, x: &mut Xml) {
    x.element("groupSet", |x| {
        x.element("item", |x| {
            x.text("groupId", &instance.group_id);
            x.text("groupName", &instance.seed.group);
        });
    });
}

fn tags(instance: &Instance, x: &mut Xml) {
    x.element("tagSet", |x| {
        for (key, value) in &instance.seed.tags {
            x.element("item", |x| {
                x.text("key", key);
                x.text("value", value);
            });
        }
    });
}

fn interface(instance: &Instance, x: &mut Xml) {
    let association = |x: &mut Xml| {
        if let (Some(address), Some(name)) = (instance.seed.public_ip, instance.public_dns()) {
            x.element("association", |x| {
                x.text("publicIp", address.to_string());
                x.text("publicDnsName", name);
                x.text("ipOwnerId", "amazon");
            });
        }
    };
    x.element("item", |x| {
        x.text("networkInterfaceId", &instance.interface);
        x.text("subnetId", &instance.subnet);
        x.text("vpcId", &instance.vpc);
        x.text("ownerId", ACCOUNT);
        x.text("status", "in-use");
        x.text("privateIpAddress", instance.seed.private_ip.to_string());
        x.text("privateDnsName", instance.private_dns());
        x.text("sourceDestCheck", "true");
        groups(instance, x);
        association(x);
        x.element("privateIpAddressesSet", |x| {
            x.element("item", |x| {
                x.text("privateIpAddress", instance.seed.private_ip.to_string());
                x.text("privateDnsName", instance.private_dns());
                x.text("primary", "true");
                association(x);
            });
        });
    });
}
