//! A service over messages of three libraries, two of which share a package.

use directory::split::below::{Inner, Other};
use directory::split::service::{Directory, DirectoryServer};
use directory::split::{E, Group, User, UserView};
use ringwire_service::{Call, Result, Service};

struct Everyone;

impl Directory for Everyone {
    async fn find(&self, _: &mut Call, request: UserView<'_>) -> Result<Group> {
        Ok(Group { users: vec![request.to_owned_message()?], ..Default::default() })
    }
}

#[test]
fn each_type_is_in_the_module_of_its_package() {
    let e: E = E::default();
    let other = Other { inner: Inner::default().into(), e: e.into(), ..Default::default() };
    let user = User { name: Some("Ada".to_owned()), ..Default::default() };
    assert_eq!((other.user.is_set(), user.name.as_deref()), (false, Some("Ada")));
    assert_eq!(<DirectoryServer<Everyone> as Service>::NAME, "split.service.Directory");
}
