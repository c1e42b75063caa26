/* Posting between workers. The daemon implements it over the loops' queues, the simulator over a shuffled list. */
#ifndef SERVER_MESH_H
#define SERVER_MESH_H

struct server;

/* Lives inside the record that travels; its owner must not touch the record until it was run. */
struct mesh_post {
    void *carrier[2]; /* the mesh's own room, on the way */
    void (*run)(struct mesh_post *post, struct server *there);
};

struct mesh {
    /* Hands `post` to `worker`, whose mesh calls post->run there, never inside this call. Order between two workers is
     * kept. */
    void (*post)(struct mesh *mesh, unsigned worker, struct mesh_post *post);
};

static inline void mesh_post(struct mesh *m, unsigned worker, struct mesh_post *post)
{
    m->post(m, worker, post);
}

#endif
