//! Removing: only what was listed, and the directories that this empties.

use super::*;

#[tokio::test]
async fn files_go_with_the_directories_that_they_leave_empty() {
    let scenery = Scenery::new();
    for key in ["a/b/c/1", "a/b/c/2", "a/x/1", "kept/1", "kept/2", "top"] {
        scenery.file(key, "");
    }
    scenery.directory("empty before");
    let store = destination(&scenery);
    let mut batch = Vec::new();
    for key in ["a/b/c/1", "kept/2", "a/x/1", "top", "a/b/c/2"] {
        batch.push(entry(&store, key).await);
    }
    assert_eq!(store.remove(&batch).await, vec![Ok(()); 5]);
    assert_eq!(scenery.names(), ["empty before", "kept", "kept/1"]);
    assert_eq!(store.remove(&batch).await, vec![Ok(()); 5], "what is gone is gone");
    assert_eq!(scenery.names(), ["empty before", "kept", "kept/1"]);
}

#[tokio::test]
async fn the_root_stays() {
    let scenery = Scenery::new();
    scenery.file("root/d/f", "");
    let store = LocalStore::destination(scenery.at("root"));
    let batch = [entry(&store, "d/f").await];
    assert_eq!(store.remove(&batch).await, [Ok(())]);
    assert_eq!(scenery.names(), ["root"]);
}

#[tokio::test]
async fn what_is_not_what_was_listed_stays() {
    let scenery = Scenery::new();
    for key in ["d/edited", "d/directory", "d/gone", "d/same"] {
        scenery.file(key, "old");
    }
    let store = destination(&scenery);
    let mut batch = Vec::new();
    for key in ["d/edited", "d/directory", "d/gone", "d/same"] {
        batch.push(entry(&store, key).await);
    }
    scenery.file("d/edited", "new");
    std::fs::remove_file(scenery.at("d/directory")).unwrap();
    scenery.directory("d/directory");
    std::fs::remove_file(scenery.at("d/gone")).unwrap();
    let mut results = store.remove(&batch).await.into_iter();
    assert_fails(results.next().unwrap(), FailureKind::Changed, "not the file");
    assert_fails(results.next().unwrap(), FailureKind::Changed, "not the file");
    assert_eq!(results.collect::<Vec<_>>(), [Ok(()), Ok(())]);
    assert_eq!(scenery.names(), ["d", "d/directory", "d/edited"]);
}

#[tokio::test]
async fn nothing_is_removed_from_a_root_that_is_not_there() {
    let scenery = Scenery::new();
    scenery.file("f", "");
    let listed = entry(&destination(&scenery), "f").await;
    let store = LocalStore::destination(scenery.at("missing"));
    assert_eq!(store.remove(&[listed]).await, [Ok(())]);
}
