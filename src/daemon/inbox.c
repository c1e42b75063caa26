/* One lock, held only while lists are joined; many puts cost one wake-up. */
#include "daemon/inbox.h"

#include "store/store.h"

void inbox_init(struct inbox *inbox, struct loop *loop)
{
    inbox->loop = loop;
    list_init(&inbox->completed);
    pthread_mutex_init(&inbox->lock, NULL);
    inbox->posted = false;
}

void inbox_deinit(struct inbox *inbox)
{
    pthread_mutex_destroy(&inbox->lock);
}

static void take(struct loop_post *post)
{
    struct inbox *inbox = CONTAINER_OF(post, struct inbox, post);
    struct list taken;
    list_init(&taken);
    pthread_mutex_lock(&inbox->lock);
    inbox->posted = false;
    list_splice(&taken, &inbox->completed);
    pthread_mutex_unlock(&inbox->lock);
    store_complete(&taken);
}

void inbox_put(struct inbox *inbox, struct list *completed)
{
    pthread_mutex_lock(&inbox->lock);
    list_splice(&inbox->completed, completed);
    bool post = !inbox->posted;
    inbox->posted = true;
    pthread_mutex_unlock(&inbox->lock);
    if (post)
        loop_post(inbox->loop, &inbox->post, take);
}
