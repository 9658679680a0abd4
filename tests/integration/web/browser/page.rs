//! The page of maglev-web in a browser, as one who operates it sees it.

use serde_json::{Value, json};

use super::webdriver::{WebDriver, WebDriverError};

/// The key under which WebDriver refers to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys by their names in WebDriver.
pub(super) mod key {
    pub(crate) const ENTER: &str = "\u{e007}";
    pub(crate) const ESCAPE: &str = "\u{e00c}";
    pub(crate) const TAB: &str = "\u{e004}";
}

/// A tab that shows the page.
pub(super) struct Page {
    browser: WebDriver,
    url: String,
}

impl Page {
    /// Opens what maglev-web serves at `url`; `None` without a browser.
    pub(super) async fn open(url: &str) -> Option<Self> {
        let page = Self { browser: WebDriver::start().await?, url: url.to_owned() };
        page.go("#/").await;
        Some(page)
    }

    /// Shows another view.
    pub(super) async fn go(&self, fragment: &str) {
        let url = format!("{}{fragment}", self.url);
        self.browser.command("url", &json!({ "url": url })).await.unwrap();
    }

    /// Loads the page anew.
    pub(super) async fn reload(&self) {
        self.browser.command("refresh", &json!({})).await.unwrap();
    }

    /// Runs the body of an asynchronous function, and gives what it returns.
    pub(super) async fn run(&self, body: &str) -> Value {
        self.run_with(body, &[]).await
    }

    /// The same with arguments, which are its `args`.
    pub(super) async fn run_with(&self, body: &str, arguments: &[Value]) -> Value {
        match self.try_run(body, arguments).await {
            Ok(value) => value,
            Err(WebDriverError { error, message }) => {
                panic!("{error}: {message}\nin {body}\nthe page has:\n{}", self.text().await)
            }
        }
    }

    async fn try_run(&self, body: &str, arguments: &[Value]) -> Result<Value, WebDriverError> {
        let script = format!(
            "const [...args] = arguments; const done = args.pop(); \
             (async () => {{ {body} }})().then((value) => done({{ value: value ?? null }}), \
             (error) => done({{ error: String(error?.stack ?? error) }}));"
        );
        let script = json!({ "script": script, "args": arguments });
        let mut answer = self.browser.command("execute/async", &script).await?;
        match answer["error"].as_str() {
            Some(message) => Err(WebDriverError {
                error: "javascript error".into(),
                message: message.to_owned(),
            }),
            None => Ok(answer["value"].take()),
        }
    }

    /// Waits until an expression is true, and gives it.
    pub(super) async fn until(&self, expression: &str) -> Value {
        self.run(&format!(
            "return new Promise((found) => {{ const look = () => {{ let value; \
             try {{ value = {expression}; }} catch {{ value = null; }} \
             if (value) found(value); else setTimeout(look, 10); }}; look(); }});"
        ))
        .await
    }

    /// Waits until an element has this text in it.
    pub(super) async fn sees(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        self.until(&format!(
            "[...document.querySelectorAll({selector})].some((it) => it.textContent.includes({text}))"
        ))
        .await;
    }

    /// How many elements there are of a selector.
    pub(super) async fn count(&self, selector: &str) -> u64 {
        let counted = format!("return document.querySelectorAll({}).length;", json!(selector));
        self.run(&counted).await.as_u64().unwrap()
    }

    /// Everything that can be read on it.
    pub(super) async fn text(&self) -> String {
        let text = self.try_run("return document.body.innerText;", &[]).await;
        text.map(|text| text.as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    /// Presses the mouse on an element as soon as it is there and can be pressed.
    pub(super) async fn click(&self, selector: &str) {
        self.until(&format!(
            "(() => {{ const it = document.querySelector({}); return it && !it.disabled; }})()",
            json!(selector)
        ))
        .await;
        let element = self.element(selector).await;
        let clicked = self.browser.command(&format!("element/{element}/click"), &json!({})).await;
        clicked.unwrap_or_else(|error| panic!("{selector}: {error:?}"));
    }

    /// Types into a field as soon as it is there, in place of what it has.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        self.until(&format!("document.querySelector({})", json!(selector))).await;
        let element = self.element(selector).await;
        let path = format!("element/{element}");
        self.browser.command(&format!("{path}/clear"), &json!({})).await.unwrap();
        self.browser.command(&format!("{path}/value"), &json!({ "text": text })).await.unwrap();
    }

    /// Logs in by the form, and waits for what is then shown.
    pub(super) async fn log_in(&self, name: &str, password: &str) {
        self.fill("[name=name]", name).await;
        self.fill("[name=password]", password).await;
        self.click("[type=submit]").await;
        self.until("document.querySelector('tr.row, [data-action], .strip li')").await;
    }

    async fn element(&self, selector: &str) -> String {
        let find = json!({ "using": "css selector", "value": selector });
        let found = self.browser.command("element", &find).await;
        found.unwrap_or_else(|error| panic!("{selector}: {error:?}"))[ELEMENT]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(super) async fn press(&self, keys: &[&str]) {
        let strokes: Vec<_> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.browser.command("actions", &json!({ "actions": [keyboard] })).await.unwrap();
    }

    /// Types a text wherever the focus is.
    pub(super) async fn types(&self, text: &str) {
        let keys: Vec<_> = text.chars().map(String::from).collect();
        self.press(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// A command of Chromium's own protocol.
    pub(super) async fn devtools(&self, command: &str, params: &Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        self.browser.command("goog/cdp/execute", &body).await.unwrap()
    }

    /// The window's size in CSS pixels, and how many pixels of the screen are one of them.
    pub(super) async fn resize(&self, width: u32, height: u32, scale: f64) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// What the system prefers: `dark` or `light`.
    pub(super) async fn prefers(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features })).await;
    }

    /// A picture of the window as PNG, in base64.
    pub(super) async fn picture(&self) -> String {
        self.browser.read("screenshot").await.unwrap().as_str().unwrap().to_owned()
    }

    /// Asserts that nothing went wrong in it: no error, and nothing that the
    /// server's policy forbids. `expected`: parts of errors that a test brings about.
    pub(super) async fn assert_quiet(&self, expected: &[&str]) {
        let log = self.browser.command("se/log", &json!({ "type": "browser" })).await.unwrap();
        let bad: Vec<_> = log
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .filter_map(|entry| entry["message"].as_str())
            .filter(|message| !expected.iter().any(|known| message.contains(known)))
            .collect();
        assert!(bad.is_empty(), "the browser's console has: {bad:#?}");
    }
}
