//! `GetObjectTagging`: an object's tags.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>

use http::Method;

use crate::client::Bucket;
use crate::encoding::{Keep, encode_into};
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;
use crate::xml::walk;

impl Bucket {
    /// An object's tags, as in the query of a URL: what `x-amz-tagging` takes. Empty where it has none.
    pub async fn get_object_tagging(&self, key: &str, version_id: Option<&str>) -> Result<String, Error> {
        let request =
            Request::new(Operation::GetObjectTagging, Method::GET).bucket(self.name()).key(key).query("tagging", "");
        let request = self.of_version(request, version_id)?;
        self.client().send_for(&request, |response| Ok(parse(&response.body)?)).await
    }
}

fn parse(document: &[u8]) -> Result<String, crate::xml::XmlError> {
    let (mut tagging, mut name, mut value) = (String::new(), String::new(), String::new());
    walk(document, |path, text| {
        match path {
            "Tagging/TagSet/Tag/Key" => text.clone_into(&mut name),
            "Tagging/TagSet/Tag/Value" => text.clone_into(&mut value),
            "Tagging/TagSet/Tag" => {
                if !tagging.is_empty() {
                    tagging.push('&');
                }
                encode_into(&mut tagging, name.as_bytes(), Keep::Unreserved);
                tagging.push('=');
                encode_into(&mut tagging, std::mem::take(&mut value).as_bytes(), Keep::Unreserved);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(tagging)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_a_query() {
        let answer = b"<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag><Tag><Key>c</Key><Value/></Tag></TagSet></Tagging>";
        assert_eq!(parse(answer).unwrap(), "a%20b=1%262&c=");
        assert_eq!(parse(b"<Tagging><TagSet/></Tagging>").unwrap(), "");
    }
}
