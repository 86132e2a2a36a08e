//! The book: `mdbook serve book` shows it. Its Rust blocks are tests.

/// A page whose Rust blocks are compiled.
#[cfg(doctest)]
macro_rules! pages {
    ($($page:literal)*) => {
        $(const _: () = {
            #[doc = include_str!(concat!("src/", $page, ".md"))]
            struct Page;
        };)*
    };
}

#[cfg(doctest)]
pages! {
    "checklist" "deploying" "faq" "from-the-official-sdks" "introduction" "judged" "lambda" "missed-deliveries"
    "monitoring" "once-or-never-lost" "performance" "protocol" "sdks" "start-actix" "start-axum" "start-tower"
    "tenants-and-rotation" "testing" "troubleshooting" "upgrading" "why" "workers"
}
