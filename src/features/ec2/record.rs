//! The record of an instance: DescribeInstances' own fields in snake_case, what is not set left out. Written out by hand
//! because the SDK's types are not serialisable.

use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{
    CpuOptions, EbsInstanceBlockDevice, GroupIdentifier, Instance, InstanceBlockDeviceMapping,
    InstanceMetadataOptionsResponse, InstanceNetworkInterface, InstanceNetworkInterfaceAssociation, OperatorResponse,
    Placement, Tag,
};
use serde_json::{Map, Value, json};

use super::model::said;
use crate::core::record::Record;

/// The record.
pub fn of(instance: &Instance) -> Record {
    let mut record = Map::new();
    for part in [
        identity(instance),
        network(instance),
        machine(instance),
        options(instance),
    ] {
        if let Some(Value::Object(part)) = said(part) {
            record.extend(part);
        }
    }
    // A tag may be empty and is still there.
    if !instance.tags().is_empty() {
        record.insert("tags".to_owned(), tags(instance.tags()));
    }
    Value::Object(record)
}

fn identity(instance: &Instance) -> Value {
    json!({
        "instance_id": instance.instance_id(),
        "instance_type": instance.instance_type().map(|it| it.as_str()),
        "image_id": instance.image_id(),
        "state": instance.state().map(|state| json!({
            "code": state.code(),
            "name": state.name().map(|it| it.as_str()),
        })),
        "state_reason": instance.state_reason().map(|reason| json!({"code": reason.code(), "message": reason.message()})),
        "state_transition_reason": instance.state_transition_reason(),
        "launch_time": time(instance.launch_time()),
        "key_name": instance.key_name(),
        "ami_launch_index": instance.ami_launch_index(),
        "client_token": instance.client_token(),
        "placement": instance.placement().map(placement),
        "monitoring": instance.monitoring().map(|it| json!({"state": it.state().map(|it| it.as_str())})),
        "iam_instance_profile": instance.iam_instance_profile().map(|it| json!({"arn": it.arn(), "id": it.id()})),
        "instance_lifecycle": instance.instance_lifecycle().map(|it| it.as_str()),
        "spot_instance_request_id": instance.spot_instance_request_id(),
        "outpost_arn": instance.outpost_arn(),
        "operator": instance.operator().map(operator),
        "product_codes": list(instance.product_codes(), |it| json!({
            "product_code_id": it.product_code_id(),
            "product_code_type": it.product_code_type().map(|it| it.as_str()),
        })),
    })
}

fn network(instance: &Instance) -> Value {
    json!({
        "public_dns_name": instance.public_dns_name(),
        "public_ip_address": instance.public_ip_address(),
        "private_dns_name": instance.private_dns_name(),
        "private_ip_address": instance.private_ip_address(),
        "ipv6_address": instance.ipv6_address(),
        "vpc_id": instance.vpc_id(),
        "subnet_id": instance.subnet_id(),
        "security_groups": list(instance.security_groups(), group),
        "source_dest_check": instance.source_dest_check(),
        "network_interfaces": list(instance.network_interfaces(), interface),
        "secondary_interfaces": list(instance.secondary_interfaces(), |it| json!({
            "secondary_interface_id": it.secondary_interface_id(),
            "secondary_subnet_id": it.secondary_subnet_id(),
            "secondary_network_id": it.secondary_network_id(),
            "interface_type": it.interface_type().map(|it| it.as_str()),
            "mac_address": it.mac_address(),
            "owner_id": it.owner_id(),
            "status": it.status().map(|it| it.as_str()),
            "source_dest_check": it.source_dest_check(),
            "private_ip_addresses": list(it.private_ip_addresses(), |it| json!({"private_ip_address": it.private_ip_address()})),
        })),
        "private_dns_name_options": instance.private_dns_name_options().map(|it| json!({
            "hostname_type": it.hostname_type().map(|it| it.as_str()),
            "enable_resource_name_dns_a_record": it.enable_resource_name_dns_a_record(),
            "enable_resource_name_dns_aaaa_record": it.enable_resource_name_dns_aaaa_record(),
        })),
        "network_performance_options": instance.network_performance_options().map(|it| json!({
            "bandwidth_weighting": it.bandwidth_weighting().map(|it| it.as_str()),
        })),
        "ena_support": instance.ena_support(),
        "sriov_net_support": instance.sriov_net_support(),
    })
}

fn machine(instance: &Instance) -> Value {
    json!({
        "architecture": instance.architecture().map(|it| it.as_str()),
        "hypervisor": instance.hypervisor().map(|it| it.as_str()),
        "virtualization_type": instance.virtualization_type().map(|it| it.as_str()),
        "platform": instance.platform().map(|it| it.as_str()),
        "platform_details": instance.platform_details(),
        "usage_operation": instance.usage_operation(),
        "usage_operation_update_time": time(instance.usage_operation_update_time()),
        "boot_mode": instance.boot_mode().map(|it| it.as_str()),
        "current_instance_boot_mode": instance.current_instance_boot_mode().map(|it| it.as_str()),
        "tpm_support": instance.tpm_support(),
        "kernel_id": instance.kernel_id(),
        "ramdisk_id": instance.ramdisk_id(),
        "root_device_name": instance.root_device_name(),
        "root_device_type": instance.root_device_type().map(|it| it.as_str()),
        "ebs_optimized": instance.ebs_optimized(),
        "block_device_mappings": list(instance.block_device_mappings(), device),
        "cpu_options": instance.cpu_options().map(cpu),
        "elastic_gpu_associations": list(instance.elastic_gpu_associations(), |it| json!({
            "elastic_gpu_id": it.elastic_gpu_id(),
            "elastic_gpu_association_id": it.elastic_gpu_association_id(),
            "elastic_gpu_association_state": it.elastic_gpu_association_state(),
            "elastic_gpu_association_time": it.elastic_gpu_association_time(),
        })),
        "elastic_inference_accelerator_associations": list(instance.elastic_inference_accelerator_associations(), |it| json!({
            "elastic_inference_accelerator_arn": it.elastic_inference_accelerator_arn(),
            "elastic_inference_accelerator_association_id": it.elastic_inference_accelerator_association_id(),
            "elastic_inference_accelerator_association_state": it.elastic_inference_accelerator_association_state(),
            "elastic_inference_accelerator_association_time": time(it.elastic_inference_accelerator_association_time()),
        })),
    })
}

fn options(instance: &Instance) -> Value {
    json!({
        "capacity_block_id": instance.capacity_block_id(),
        "capacity_reservation_id": instance.capacity_reservation_id(),
        "capacity_reservation_specification": instance.capacity_reservation_specification().map(|it| json!({
            "capacity_reservation_preference": it.capacity_reservation_preference().map(|it| it.as_str()),
            "capacity_reservation_target": it.capacity_reservation_target().map(|it| json!({
                "capacity_reservation_id": it.capacity_reservation_id(),
                "capacity_reservation_resource_group_arn": it.capacity_reservation_resource_group_arn(),
            })),
        })),
        "enclave_options": instance.enclave_options().map(|it| json!({"enabled": it.enabled()})),
        "hibernation_options": instance.hibernation_options().map(|it| json!({"configured": it.configured()})),
        "licenses": list(instance.licenses(), |it| json!({"license_configuration_arn": it.license_configuration_arn()})),
        "maintenance_options": instance.maintenance_options().map(|it| json!({
            "auto_recovery": it.auto_recovery().map(|it| it.as_str()),
            "reboot_migration": it.reboot_migration().map(|it| it.as_str()),
        })),
        "metadata_options": instance.metadata_options().map(metadata),
    })
}

fn placement(it: &Placement) -> Value {
    json!({
        "availability_zone": it.availability_zone(),
        "availability_zone_id": it.availability_zone_id(),
        "affinity": it.affinity(),
        "group_id": it.group_id(),
        "group_name": it.group_name(),
        "host_id": it.host_id(),
        "host_resource_group_arn": it.host_resource_group_arn(),
        "partition_number": it.partition_number(),
        "spread_domain": it.spread_domain(),
        "tenancy": it.tenancy().map(|it| it.as_str()),
    })
}

fn interface(it: &InstanceNetworkInterface) -> Value {
    json!({
        "network_interface_id": it.network_interface_id(),
        "interface_type": it.interface_type(),
        "description": it.description(),
        "mac_address": it.mac_address(),
        "owner_id": it.owner_id(),
        "status": it.status().map(|it| it.as_str()),
        "subnet_id": it.subnet_id(),
        "vpc_id": it.vpc_id(),
        "private_dns_name": it.private_dns_name(),
        "private_ip_address": it.private_ip_address(),
        "private_ip_addresses": list(it.private_ip_addresses(), |it| json!({
            "primary": it.primary(),
            "private_dns_name": it.private_dns_name(),
            "private_ip_address": it.private_ip_address(),
            "association": it.association().map(association),
        })),
        "ipv6_addresses": list(it.ipv6_addresses(), |it| json!({
            "ipv6_address": it.ipv6_address(),
            "is_primary_ipv6": it.is_primary_ipv6(),
        })),
        "ipv4_prefixes": list(it.ipv4_prefixes(), |it| json!({"ipv4_prefix": it.ipv4_prefix()})),
        "ipv6_prefixes": list(it.ipv6_prefixes(), |it| json!({"ipv6_prefix": it.ipv6_prefix()})),
        "source_dest_check": it.source_dest_check(),
        "groups": list(it.groups(), group),
        "association": it.association().map(association),
        "attachment": it.attachment().map(|it| json!({
            "attachment_id": it.attachment_id(),
            "attach_time": time(it.attach_time()),
            "delete_on_termination": it.delete_on_termination(),
            "device_index": it.device_index(),
            "network_card_index": it.network_card_index(),
            "ena_queue_count": it.ena_queue_count(),
            "status": it.status().map(|it| it.as_str()),
        })),
        "operator": it.operator().map(operator),
    })
}

fn association(it: &InstanceNetworkInterfaceAssociation) -> Value {
    json!({
        "carrier_ip": it.carrier_ip(),
        "customer_owned_ip": it.customer_owned_ip(),
        "ip_owner_id": it.ip_owner_id(),
        "public_dns_name": it.public_dns_name(),
        "public_ip": it.public_ip(),
    })
}

fn device(it: &InstanceBlockDeviceMapping) -> Value {
    json!({"device_name": it.device_name(), "ebs": it.ebs().map(volume)})
}

fn volume(it: &EbsInstanceBlockDevice) -> Value {
    json!({
        "volume_id": it.volume_id(),
        "volume_owner_id": it.volume_owner_id(),
        "attach_time": time(it.attach_time()),
        "delete_on_termination": it.delete_on_termination(),
        "status": it.status().map(|it| it.as_str()),
        "associated_resource": it.associated_resource(),
        "ebs_card_index": it.ebs_card_index(),
        "operator": it.operator().map(operator),
    })
}

fn cpu(it: &CpuOptions) -> Value {
    json!({
        "core_count": it.core_count(),
        "threads_per_core": it.threads_per_core(),
        "amd_sev_snp": it.amd_sev_snp().map(|it| it.as_str()),
        "nested_virtualization": it.nested_virtualization().map(|it| it.as_str()),
    })
}

fn metadata(it: &InstanceMetadataOptionsResponse) -> Value {
    json!({
        "state": it.state().map(|it| it.as_str()),
        "http_tokens": it.http_tokens().map(|it| it.as_str()),
        "http_put_response_hop_limit": it.http_put_response_hop_limit(),
        "http_endpoint": it.http_endpoint().map(|it| it.as_str()),
        "http_protocol_ipv6": it.http_protocol_ipv6().map(|it| it.as_str()),
        "instance_metadata_tags": it.instance_metadata_tags().map(|it| it.as_str()),
    })
}

fn operator(it: &OperatorResponse) -> Value {
    json!({"managed": it.managed(), "principal": it.principal(), "hidden_by_default": it.hidden_by_default()})
}

fn group(it: &GroupIdentifier) -> Value {
    json!({"group_id": it.group_id(), "group_name": it.group_name()})
}

/// A map; of two tags with one name the last wins (EC2 itself allows one).
fn tags(tags: &[Tag]) -> Value {
    let pairs = tags.iter().filter_map(|tag| {
        let value = tag.value().unwrap_or_default().to_owned();
        Some((tag.key()?.to_owned(), Value::String(value)))
    });
    Value::Object(pairs.collect())
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(one).collect())
}

/// RFC 3339, UTC.
fn time(time: Option<&DateTime>) -> Option<String> {
    time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{
        IamInstanceProfile, InstanceState, InstanceStateName, InstanceType, NetworkInterfaceStatus, Tenancy,
    };

    #[test]
    fn an_instance_becomes_a_record_without_what_is_not_set() {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let instance = Instance::builder()
            .instance_id("i-1")
            .instance_type(InstanceType::M4Large)
            .state(
                InstanceState::builder()
                    .code(16)
                    .name(InstanceStateName::Running)
                    .build(),
            )
            .public_dns_name("")
            .private_ip_address("172.20.1.2")
            .launch_time(DateTime::from_secs(1_500_000_000))
            .placement(
                Placement::builder()
                    .availability_zone("ap-southeast-2a")
                    .tenancy(Tenancy::Default)
                    .build(),
            )
            .iam_instance_profile(
                IamInstanceProfile::builder()
                    .arn("arn:aws:iam::1:instance-profile/x")
                    .build(),
            )
            .security_groups(GroupIdentifier::builder().group_id("sg-1").group_name("nodes").build())
            .network_interfaces(
                InstanceNetworkInterface::builder()
                    .status(NetworkInterfaceStatus::InUse)
                    .build(),
            )
            .ebs_optimized(false)
            .set_tags(Some(vec![
                tag("Name", "a=b;'\u{1b}[2J"),
                tag("k8s.io/role/node", ""),
                tag("", "x"),
            ]))
            .build();
        assert_eq!(
            of(&instance),
            json!({
                "instance_id": "i-1",
                "instance_type": "m4.large",
                "state": {"code": 16, "name": "running"},
                "private_ip_address": "172.20.1.2",
                "launch_time": "2017-07-14T02:40:00Z",
                "placement": {"availability_zone": "ap-southeast-2a", "tenancy": "default"},
                "iam_instance_profile": {"arn": "arn:aws:iam::1:instance-profile/x"},
                "security_groups": [{"group_id": "sg-1", "group_name": "nodes"}],
                "network_interfaces": [{"status": "in-use"}],
                "ebs_optimized": false,
                "tags": {"Name": "a=b;'\u{1b}[2J", "k8s.io/role/node": "", "": "x"},
            })
        );
        assert_eq!(of(&Instance::builder().build()), json!({}));
    }
}
