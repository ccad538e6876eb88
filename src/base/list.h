/* list.h - intrusive doubly linked lists.                                      room: base   runs in: all
 *
 * A `struct list` is both the head and the link inside a member. An unlinked link points at itself, so that
 * list_drop may be called twice.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_is_empty(const struct list *l)
{
    return l->next == l || !l->next;
}
/* Adds at the tail. */
static inline void list_add(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
static inline void list_add_front(struct list *head, struct list *link)
{
    list_add(head->next, link);
}
/* A zeroed link (never added) is left alone. */
static inline void list_drop(struct list *link)
{
    if (link->next) {
        link->next->prev = link->prev;
        link->prev->next = link->next;
        list_init(link);
    }
}

#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define LIST_FIRST(head, type, member)                                                                       \
    (list_is_empty(head) ? (type *)NULL : CONTAINER_OF((head)->next, type, member))
/* The current member may be dropped in the body, its neighbours may not. */
#define LIST_EACH(head, type, member, var)                                                                   \
    for (type *var = CONTAINER_OF((head)->next, type, member),                                               \
              *var##_next = CONTAINER_OF(var->member.next, type, member);                                    \
         &var->member != (head);                                                                             \
         var = var##_next, var##_next = CONTAINER_OF(var->member.next, type, member))

#endif
