//! Which application a delivery is forwarded to.

use std::sync::Arc;

use super::{
    application::{Application, Shared},
    args::ForwardArgs,
    pattern::Pattern,
    receive::Received,
    route::Route,
};
use crate::{client::Target, exit::Failure};

/// The applications, each with what it gets.
pub(super) struct Forwarding {
    /// The first that matches is used.
    routes: Vec<(Pattern, Arc<Application>)>,
    applications: Vec<Arc<Application>>,
    only_verified: bool,
}

impl Forwarding {
    pub(super) fn new(args: &ForwardArgs, shared: &Shared) -> Result<Self, Failure> {
        let mut forwarding = Self {
            routes: Vec::new(),
            applications: Vec::new(),
            only_verified: args.only_verified,
        };
        for Route { pattern, target } in &args.forward {
            forwarding.add(pattern.clone(), target, args, shared)?;
        }
        if let Some(target) = &args.forward_to {
            forwarding.add(Pattern::any(), target, args, shared)?;
        }
        Ok(forwarding)
    }

    /// Adds a route. Routes to the same URL share the application, and so whether it is down.
    fn add(
        &mut self,
        pattern: Pattern,
        target: &Target,
        args: &ForwardArgs,
        shared: &Shared,
    ) -> Result<(), Failure> {
        let known = self.applications.iter().find(|application| application.url() == target.url());
        let application = match known {
            Some(application) => Arc::clone(application),
            None => Arc::new(Application::new(target.clone(), args, shared.clone())?),
        };
        if !self.applications.iter().any(|known| Arc::ptr_eq(known, &application)) {
            self.applications.push(Arc::clone(&application));
        }
        self.routes.push((pattern, application));
        Ok(())
    }

    /// Returns where to forward a delivery, if anywhere.
    pub(super) fn application(&self, received: &Received) -> Option<&Arc<Application>> {
        if self.only_verified && received.verdict.is_err() {
            return None;
        }
        let route = self.routes.iter().find(|(pattern, _)| pattern.matches(&received.head));
        route.map(|(_, application)| application)
    }

    /// Returns how many deliveries are held.
    pub(super) fn held(&self) -> usize {
        self.applications.iter().map(|application| application.held()).sum()
    }
}
