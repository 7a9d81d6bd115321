// CUDA C++ on a CPU, for tests: forced into each .cu file by g++ -include.
//
// Blocks run in turn, in the order of the seed. The threads of a block are fibers on one core, so that __syncthreads() and the warp's exchanges
// work and every run can be repeated: a fiber runs until it waits or ends, then the next in the order of the seed
// (0 ascending, 1 descending, others shuffled anew at every barrier). A missing barrier then shows as a wrong result
// under one order or another. Shared memory holds rubbish when a block begins. A barrier that some threads never reach
// stops the launch with an error. Kernels take pointers and integers of at most 64 bits, nothing else, and declare
// __shared__ arrays in their own body (g++ ignores the section of a template's).

#pragma once

#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <ucontext.h>

#define __global__ __attribute__((visibility("default")))
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("shim_shared"), used))

struct uint3_shim {
    unsigned x, y, z;
};

namespace shim {

constexpr unsigned WARP = 32;
constexpr size_t STACK = 256 * 1024;  // not optimised, a variable has a place of its own

enum class State { ready, block_barrier, warp_barrier, done };

struct Fiber {
    ucontext_t entry;  // to begin with
    jmp_buf place;     // to go on from
    bool begun;
    std::unique_ptr<char[]> stack;  // memory that is not touched is not taken
    uint3_shim thread;
    State state;
    unsigned mask;      // of the warp barrier or exchange waited at
    bool barrier;       // whether it is a barrier
    uint64_t offered;   // to the warp's other lanes
    int predicate;      // offered to the block's other threads
};

struct Launch {
    void* function;
    const uint64_t* arguments;
    int count;
    uint3_shim grid, block, index;
};

inline Launch launch;
inline std::vector<Fiber> fibers;
inline Fiber* current;
inline jmp_buf scheduler;
inline std::vector<unsigned char> dynamic;
inline unsigned static_shared;      // bytes that every block has at the start of `dynamic` (PTX alone)
inline unsigned shared_bytes;       // of them and the launch's
inline uint64_t block_interval;     // counts what barriers separate
inline uint64_t warp_interval[32];  // the same within each warp
inline std::string error;
inline uint64_t random_state;

inline unsigned lane() { return current->thread.x % WARP; }
inline Fiber& neighbour(unsigned lane) { return fibers[current->thread.x / WARP * WARP + lane]; }

// Fibers change places by jumps: contexts, which save signal masks too, cost a system call each time.
__attribute__((noinline)) inline void wait(State state) {
    current->state = state;
    if (!_setjmp(current->place)) _longjmp(scheduler, 1);
}

__attribute__((noinline)) inline void resume(Fiber& f) {
    current = &f;
    if (_setjmp(scheduler)) return;
    if (f.begun) _longjmp(f.place, 1);
    f.begun = true;
    setcontext(&f.entry);
}

// End the launch with an error.
[[noreturn]] inline void fail(const char* what) {
    if (error.empty()) error = what;
    for (;;) wait(State::done);
}

// All lanes of the mask have offered a value once this returns; a second wait lets all read before any goes on.
// Memory is in order only behind a barrier proper, not behind an exchange (PTX ISA, bar.warp.sync and vote.sync).
inline void meet(unsigned mask, bool barrier) {
    current->mask = mask;
    current->barrier = barrier;
    wait(State::warp_barrier);
}

inline void call() {
    const uint64_t* a = launch.arguments;
    typedef void (*Kernel)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    ((Kernel)launch.function)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
                              a[14], a[15]);
    wait(State::done);
}

inline size_t draw(size_t bound) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % bound;
}

// Numbers from 0: ascending, descending, or shuffled.
template <class T>
inline void arrange(std::vector<T>& numbers, unsigned seed) {
    for (size_t i = 0; i < numbers.size(); i++) numbers[i] = (T)(seed == 1 ? numbers.size() - 1 - i : i);
    if (seed > 1)
        for (size_t i = numbers.size(); i > 1; i--) std::swap(numbers[i - 1], numbers[draw(i)]);
}

// Let those go whose barrier is complete; false if nobody can.
inline bool release() {
    bool any = false, all = true;
    for (Fiber& f : fibers) all = all && (f.state == State::block_barrier || f.state == State::done);
    block_interval += all;
    for (size_t i = 0; i < fibers.size(); i++) {
        Fiber& f = fibers[i];
        if (f.state == State::block_barrier && all) {
            f.state = State::ready;
            any = true;
        } else if (f.state == State::warp_barrier) {
            bool complete = true;
            for (unsigned l = 0; l < WARP; l++) {
                if (!(f.mask >> l & 1)) continue;
                size_t other = i / WARP * WARP + l;
                complete = complete && other < fibers.size() && fibers[other].state == State::warp_barrier &&
                           fibers[other].mask == f.mask;
            }
            if (complete) {
                unsigned mask = f.mask;
                warp_interval[i / WARP] += f.barrier;
                for (unsigned l = 0; l < WARP; l++)
                    if (mask >> l & 1) fibers[i / WARP * WARP + l].state = State::ready;
                any = true;
            }
        }
    }
    return any;
}

extern "C" unsigned char __start_shim_shared[] __attribute__((weak));
extern "C" unsigned char __stop_shim_shared[] __attribute__((weak));

inline void run_block(unsigned seed) {
    if (__start_shim_shared) memset(__start_shim_shared, 0xA5, (size_t)(__stop_shim_shared - __start_shim_shared));
    memset(dynamic.data(), 0xA5, dynamic.size());
    block_interval++;
    std::vector<unsigned> order(fibers.size());
    for (unsigned i = 0; i < fibers.size(); i++) {
        Fiber& f = fibers[i];
        f.thread = {i, 0, 0};
        f.state = State::ready;
        f.begun = false;
        getcontext(&f.entry);
        f.entry.uc_stack.ss_sp = f.stack.get();
        f.entry.uc_stack.ss_size = STACK;
        f.entry.uc_link = nullptr;
        makecontext(&f.entry, call, 0);
    }
    for (;;) {
        arrange(order, seed);
        bool done = true;
        for (unsigned i : order) {
            if (fibers[i].state == State::ready) {
                resume(fibers[i]);
                if (!error.empty()) return;
            }
            done = done && fibers[i].state == State::done;
        }
        if (done) return;
        if (!release()) {
            error = "some threads wait at a barrier that the others never reach";
            return;
        }
    }
}

}  // namespace shim

// Run a grid; 0, or 1 with a text for shim_error.
extern "C" __attribute__((visibility("default"))) int
shim_launch(void* function, const uint64_t* arguments, unsigned grid_x, unsigned grid_y, unsigned threads,
            unsigned shared, unsigned seed) {
    using namespace shim;
    launch = {function, arguments, 16, {grid_x, grid_y, 1}, {threads, 1, 1}, {0, 0, 0}};
    fibers.resize(threads);
    for (Fiber& f : fibers)
        if (!f.stack) f.stack.reset(new char[STACK]);
    shared_bytes = static_shared + shared;
    dynamic.resize(shared_bytes + 64);
    random_state = seed;
    error.clear();
    std::vector<unsigned> blocks(grid_x * grid_y);
    arrange(blocks, seed);
    for (unsigned block : blocks) {
        launch.index = {block % grid_x, block / grid_x, 0};
        run_block(seed);
        if (!error.empty()) break;
    }
    if (!error.empty()) fibers.clear();
    return !error.empty();
}

extern "C" __attribute__((visibility("default"))) const char* shim_error() { return shim::error.c_str(); }

#define threadIdx (shim::current->thread)
#define blockIdx (shim::launch.index)
#define blockDim (shim::launch.block)
#define gridDim (shim::launch.grid)
#define warpSize 32

inline void* __dynamic_shared() { return (void*)(((uintptr_t)shim::dynamic.data() + 63) & ~(uintptr_t)63); }

inline void __syncthreads() { shim::wait(shim::State::block_barrier); }

inline int __syncthreads_or(int predicate) {
    shim::current->predicate = predicate;
    __syncthreads();
    int any = 0;
    for (shim::Fiber& f : shim::fibers) any |= f.predicate;
    __syncthreads();
    return any != 0;
}

inline void __threadfence() {}
inline void __syncwarp(unsigned mask = 0xffffffffu) { shim::meet(mask, true); }

template <class T>
inline T shim_exchange(unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) <= 8, "a lane offers at most eight bytes");
    shim::current->offered = 0;
    memcpy(&shim::current->offered, &value, sizeof(T));
    shim::meet(mask, false);
    T r;
    memcpy(&r, &shim::neighbour(from).offered, sizeof(T));
    shim::meet(mask, false);
    return r;
}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
    unsigned lane = shim::lane();
    return shim_exchange(mask, value, lane / (unsigned)width * (unsigned)width + (unsigned)from % (unsigned)width);
}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int other) {
    return shim_exchange(mask, value, shim::lane() ^ (unsigned)other);
}

template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned by) {
    unsigned lane = shim::lane();
    return shim_exchange(mask, value, lane + by < 32 ? lane + by : lane);
}

template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned by) {
    unsigned lane = shim::lane();
    return shim_exchange(mask, value, lane >= by ? lane - by : lane);
}

template <class T>
inline unsigned __match_any_sync(unsigned mask, T value) {
    shim::current->offered = 0;
    memcpy(&shim::current->offered, &value, sizeof(T));
    shim::meet(mask, false);
    unsigned same = 0;
    for (unsigned l = 0; l < 32; l++)
        if (mask >> l & 1 && shim::neighbour(l).offered == shim::current->offered) same |= 1u << l;
    shim::meet(mask, false);
    return same;
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
    shim::current->offered = predicate != 0;
    shim::meet(mask, false);
    unsigned votes = 0;
    for (unsigned l = 0; l < 32; l++)
        if (mask >> l & 1 && shim::neighbour(l).offered) votes |= 1u << l;
    shim::meet(mask, false);
    return votes;
}

inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

template <class T>
inline T atomicAdd(T* at, T by) {
    T old = *at;
    *at = old + by;
    return old;
}

template <class T>
inline T atomicMax(T* at, T value) {
    T old = *at;
    if (value > old) *at = value;
    return old;
}

template <class T>
inline T __ldg(const T* at) {
    return *at;
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
inline unsigned __brev(unsigned x) {
    unsigned r = 0;
    for (int i = 0; i < 32; i++) r |= (x >> i & 1) << (31 - i);
    return r;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
    by &= 31;
    return by ? high << by | low >> (32 - by) : high;
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
    by &= 31;
    return by ? high << (32 - by) | low >> by : low;
}
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
