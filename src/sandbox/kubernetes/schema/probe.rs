//! The probe: a deserialiser without data that records which structs, fields and types it is asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1 as apps, authentication::v1 as authentication, authorization::v1 as authorization,
    autoscaling::v1 as autoscaling1, autoscaling::v2 as autoscaling2, batch::v1 as batch,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery, events::v1 as events,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling,
    storage::v1 as storage,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use serde::de::value::{Error, StrDeserializer, UnitDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::{Shape, Struct, Table};
use crate::sandbox::kubernetes::kinds;

/// Probes every kind.
pub(super) fn all() -> Table {
    let mut table = BTreeMap::new();
    macro_rules! probe {
        ($($version:literal: $($module:ident::$kind:ident),+;)+) => {
            $($(
                if let Some(shape) = shape_of::<$module::$kind>($version) {
                    table.insert(concat!($version, " ", stringify!($kind)).to_owned(), shape);
                }
            )+)+
        };
    }
    probe! {
        "v1": meta::DeleteOptions, core::ConfigMap, core::Endpoints, core::Event, core::LimitRange, core::Namespace, core::Node,
            core::PersistentVolume, core::PersistentVolumeClaim, core::Pod, core::PodTemplate,
            core::ReplicationController, core::ResourceQuota, core::Secret, core::Service, core::ServiceAccount;
        "apps/v1": apps::ControllerRevision, apps::DaemonSet, apps::Deployment, apps::ReplicaSet, apps::StatefulSet;
        "batch/v1": batch::CronJob, batch::Job;
        "autoscaling/v1": autoscaling1::HorizontalPodAutoscaler, autoscaling1::Scale;
        "autoscaling/v2": autoscaling2::HorizontalPodAutoscaler;
        "authentication.k8s.io/v1": authentication::SelfSubjectReview;
        "authorization.k8s.io/v1": authorization::SelfSubjectAccessReview, authorization::SelfSubjectRulesReview;
        "coordination.k8s.io/v1": coordination::Lease;
        "discovery.k8s.io/v1": discovery::EndpointSlice;
        "events.k8s.io/v1": events::Event;
        "networking.k8s.io/v1": networking::Ingress, networking::IngressClass, networking::NetworkPolicy;
        "policy/v1": policy::Eviction, policy::PodDisruptionBudget;
        "rbac.authorization.k8s.io/v1": rbac::ClusterRole, rbac::ClusterRoleBinding, rbac::Role, rbac::RoleBinding;
        "scheduling.k8s.io/v1": scheduling::PriorityClass;
        "storage.k8s.io/v1": storage::StorageClass;
    }
    table
}

fn shape_of<T: DeserializeOwned>(api_version: &'static str) -> Option<Shape> {
    let mut shape = Shape::Any;
    let within = Rc::new(RefCell::new(Vec::new()));
    let probe = Probe {
        out: &mut shape,
        within,
        text: "",
        api_version,
    };
    T::deserialize(probe).ok().map(|_| shape)
}

struct Probe<'p> {
    /// Where the type asked for is written.
    out: &'p mut Shape,
    /// Names of the structs around this place, to stop at recursive types.
    within: Rc<RefCell<Vec<&'static str>>>,
    /// What text fields hold: some types insist on their own `kind` and `apiVersion`.
    text: &'static str,
    /// `apiVersion` of the outermost type.
    api_version: &'static str,
}

impl Probe<'_> {
    fn child<'a>(out: &'a mut Shape, within: &Rc<RefCell<Vec<&'static str>>>) -> Probe<'a> {
        Probe {
            out,
            within: within.clone(),
            text: "",
            api_version: "",
        }
    }
}

macro_rules! scalar {
    ($($method:ident $shape:ident $visit:ident $value:expr;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.out = Shape::$shape;
            visitor.$visit($value)
        })+
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    scalar! {
        deserialize_bool Bool visit_bool false;
        deserialize_i8 Int32 visit_i8 0;
        deserialize_i16 Int32 visit_i16 0;
        deserialize_i32 Int32 visit_i32 0;
        deserialize_i64 Int64 visit_i64 0;
        deserialize_u8 Int32 visit_u8 0;
        deserialize_u16 Int32 visit_u16 0;
        deserialize_u32 Int64 visit_u32 0;
        deserialize_u64 Int64 visit_u64 0;
        deserialize_f32 Float visit_f32 0.0;
        deserialize_f64 Float visit_f64 0.0;
        deserialize_char Text visit_char 'x';
        // Only base64 data asks for a borrowed string.
        deserialize_str Bytes visit_str "";
        deserialize_bytes Bytes visit_bytes &[];
        deserialize_byte_buf Bytes visit_bytes &[];
        // Only the integer-or-text type looks at what comes.
        deserialize_any IntOrString visit_str "";
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Shape::Text;
        visitor.visit_str(self.text)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        let text = |text: &'static str| -> StrDeserializer<'static, Error> { text.into_deserializer() };
        match name {
            "Time" | "MicroTime" => {
                *self.out = Shape::Time;
                visitor.visit_newtype_struct(text("2000-01-01T00:00:00.000000Z"))
            }
            "Quantity" => {
                *self.out = Shape::Quantity;
                visitor.visit_newtype_struct(text("1"))
            }
            _ => {
                *self.out = Shape::Any;
                visitor.visit_newtype_struct(UnitDeserializer::new())
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = Shape::Any;
        let value = visitor.visit_seq(One {
            out: Some(&mut item),
            within: &self.within,
        })?;
        *self.out = Shape::List(Arc::new(item));
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = Shape::Any;
        let value = visitor.visit_map(Entry {
            out: &mut item,
            within: &self.within,
            done: false,
        })?;
        *self.out = Shape::Map(Arc::new(item));
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let recursive = self.within.borrow().contains(&name);
        if recursive {
            *self.out = Shape::Any;
            return visitor.visit_map(Fields {
                todo: [].iter(),
                current: "",
                probe: None,
            });
        }
        self.within.borrow_mut().push(name);
        let mut found = Vec::with_capacity(fields.len());
        let owner = Owner {
            name,
            api_version: self.api_version,
            within: &self.within,
            found: &mut found,
        };
        let value = visitor.visit_map(Fields {
            todo: fields.iter(),
            current: "",
            probe: Some(owner),
        });
        self.within.borrow_mut().pop();
        *self.out = Shape::Struct(Arc::new(Struct { name, fields: found }));
        value
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("the API has no tagged enums"))
    }
}

/// A list of one item.
struct One<'p> {
    out: Option<&'p mut Shape>,
    within: &'p Rc<RefCell<Vec<&'static str>>>,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.out.take() {
            Some(out) => seed.deserialize(Probe::child(out, self.within)).map(Some),
            None => Ok(None),
        }
    }
}

/// A map of one entry.
struct Entry<'p> {
    out: &'p mut Shape,
    within: &'p Rc<RefCell<Vec<&'static str>>>,
    done: bool,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        seed.deserialize(IntoDeserializer::<Error>::into_deserializer("key"))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Probe::child(self.out, self.within))
    }
}

struct Owner<'p> {
    name: &'static str,
    api_version: &'static str,
    within: &'p Rc<RefCell<Vec<&'static str>>>,
    found: &'p mut Vec<(&'static str, Shape)>,
}

/// The fields of a struct, one after the other.
struct Fields<'p> {
    todo: std::slice::Iter<'static, &'static str>,
    current: &'static str,
    probe: Option<Owner<'p>>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.todo.next() else {
            return Ok(None);
        };
        self.current = field;
        seed.deserialize(IntoDeserializer::<Error>::into_deserializer(*field))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(owner) = &mut self.probe else {
            return Err(serde::de::Error::custom("a value without a key"));
        };
        let mut shape = Shape::Any;
        let mut probe = Probe::child(&mut shape, owner.within);
        probe.text = match self.current {
            "kind" => owner.name,
            "apiVersion" if !owner.api_version.is_empty() => owner.api_version,
            "apiVersion" => nested_version(owner.name),
            _ => "",
        };
        let value = seed.deserialize(probe)?;
        owner.found.push((self.current, shape));
        Ok(value)
    }
}

/// `apiVersion` of a kind that is embedded in another, such as a claim template's.
fn nested_version(kind: &str) -> &'static str {
    kinds::KINDS.iter().find(|row| row.kind == kind).map_or(
        "v1",
        |row| {
            if row.group.is_empty() { row.version } else { "" }
        },
    )
}
