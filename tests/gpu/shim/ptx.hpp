// What PTX needs of a CPU, for tests: forced into the C++ that ptx.py makes of a module, on the fibers of shim.hpp.
//
// Global memory lies at the host's addresses and shared memory at offsets into the block's own, as on a GPU. Every access
// is checked: that it lies within one array and is aligned to its whole width; and that no other thread touched the
// same byte of shared memory, or word of global memory, without a barrier in between, unless both read or both are
// atomic. That is the happens-before relation of __syncthreads() for a block and of __syncwarp() for a warp, while
// nothing orders blocks, so that what is missing shows whatever order the threads run in. What a kernel reads as fixed
// (ld.global.nc) nobody may write in the launch, be it before or after.

#pragma once

#include "shim.hpp"

#include <array>
#include <cfenv>
#include <limits>
#include <type_traits>
#include <unordered_map>
#include <utility>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef unsigned __int128 u128;
typedef __int128 i128;

namespace ptx {

// -- memory --------------------------------------------------------------------------------------------------------

enum Access { READ, WRITE, ATOMIC, FIXED };

struct Range {
    u64 begin, size;
};

// The last accesses of one kind to a byte of shared memory: all in one interval between block barriers.
struct Trace {
    u64 block, warp;  // intervals between the barriers of the block, and of the warp if it was one
    int thread;       // −1: several
    int warp_index;   // −1: several
    u64 place;        // the block's number in the grid; SEVERAL
};

constexpr u64 SEVERAL = ~0ull;

inline std::vector<Range> arrays;  // sorted; the device's
inline std::vector<Range> own;     // the module's .global and .const variables

// The last accesses to a byte of shared memory, or a word of global memory, by kind.
typedef std::array<Trace, FIXED + 1> Traces;
constexpr u64 PAGE = 64;  // words

inline std::vector<Traces> traces;  // of shared memory
// Of the pages of global memory that the launch has touched.
inline std::unordered_map<u64, std::array<Traces, PAGE>> global_traces;

inline unsigned barriers;     // places in the code
inline unsigned skipped = ~0u;  // one of them, taken out
inline bool reached;          // whether the code came to that one

struct Module {
    Module(unsigned shared, unsigned places, std::vector<Range> variables) {
        shim::static_shared = shared;
        barriers = places;
        own = std::move(variables);
    }
};

inline bool stands(unsigned barrier) {
    if (barrier != skipped) return true;
    reached = true;
    return false;
}

[[noreturn]] inline void refuse(const char* what, const char* space, u64 address, unsigned size) {
    char text[256];
    snprintf(text, sizeof text, "thread %u of block (%u, %u): %u bytes of %s memory at %#llx: %s", threadIdx.x,
             blockIdx.x, blockIdx.y, size, space, (unsigned long long)address, what);
    shim::fail(text);
}

template <unsigned SIZE>
inline void aligned(const char* space, u64 address) {
    if (address % SIZE) refuse("not aligned", space, address, SIZE);
}

inline bool within(const std::vector<Range>& ranges, u64 address, unsigned size) {
    for (const Range& r : ranges)
        if (address - r.begin < r.size) return address - r.begin + size <= r.size;
    return false;
}

__attribute__((noinline)) inline bool accessible(u64 address, unsigned size) {
    static Range last;
    if (address - last.begin < last.size && address - last.begin + size <= last.size) return true;
    size_t low = 0, high = arrays.size();  // arrays[low - 1].begin ≤ address < arrays[high].begin
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (arrays[middle].begin <= address) low = middle + 1;
        else high = middle;
    }
    if (low && address - arrays[low - 1].begin + size <= arrays[low - 1].size) {
        last = arrays[low - 1];
        return true;
    }
    return within(own, address, size);
}

// Whether the accesses noted came before this thread's next one, those of other blocks never: they run side by side.
inline bool before(const Trace& t, u64 place) {
    int warp = (int)(threadIdx.x / shim::WARP);
    return !t.block || (t.place == place && (t.block < shim::block_interval || t.thread == (int)threadIdx.x ||
                                             (t.warp_index == warp && t.warp < shim::warp_interval[warp])));
}

// Whether what was noted and this thread's access must not meet.
inline bool meets(const Trace& t, Access noted, Access access, u64 place) {
    bool writes[] = {noted == WRITE || noted == ATOMIC, access == WRITE || access == ATOMIC};
    if (!writes[0] && !writes[1]) return false;
    if (noted == FIXED || access == FIXED) return t.block;
    return (noted != ATOMIC || access != ATOMIC) && !before(t, place);
}

inline void note(Traces& t, u64 place, const char* space, u64 address, unsigned size, Access access) {
    int thread = (int)threadIdx.x, warp = thread / (int)shim::WARP;
    for (int noted = READ; noted <= FIXED; noted++)
        if (meets(t[noted], (Access)noted, access, place))
            refuse(noted == FIXED || access == FIXED ? "the launch reads it as fixed and writes it"
                                                     : "another thread is at it too, with no barrier in between",
                   space, address, size);
    Trace& mine = t[access];
    if (before(mine, place)) mine = {shim::block_interval, shim::warp_interval[warp], thread, warp, place};
    else {
        mine.thread = -1;
        if (mine.warp_index != warp) mine.warp_index = -1;
        if (mine.place != place) mine.place = SEVERAL;
    }
}

// Blocks have shared memory of their own, one after the other: an earlier one's accesses are no matter.
__attribute__((noinline)) inline void note_shared(u32 offset, unsigned size, Access access) {
    if (traces.size() < shim::shared_bytes) traces.resize(shim::shared_bytes);
    for (u32 at = offset; at < offset + size; at++) note(traces[at], 0, "shared", offset, size, access);
}

__attribute__((noinline)) inline void note_global(u64 address, unsigned size, Access access) {
    u64 place = (u64)blockIdx.y * gridDim.x + blockIdx.x;
    for (u64 word = address / 4; word <= (address + size - 1) / 4; word++)
        note(global_traces[word / PAGE][word % PAGE], place, "global", address, size, access);
}

template <unsigned SIZE>
inline u64 global(u64 address, Access access) {
    aligned<SIZE>("global", address);
    if (!accessible(address, SIZE)) refuse("within no array", "global", address, SIZE);
    note_global(address, SIZE, access);
    return address;
}

template <unsigned SIZE>
inline u64 constant(u64 address, Access) {
    aligned<SIZE>("constant", address);
    if (!within(own, address, SIZE)) refuse("within no table", "constant", address, SIZE);
    return address;
}

template <unsigned SIZE>
inline u64 shared(u64 offset, Access access) {
    aligned<SIZE>("shared", offset);
    if (offset + SIZE > shim::shared_bytes) refuse("beyond the block's", "shared", offset, SIZE);
    note_shared((u32)offset, SIZE, access);
    return (u64)shim::dynamic.data() + offset;
}

// Parameters and a thread's own variables lie on its stack.
template <unsigned SIZE>
inline u64 local(u64 address, Access) {
    aligned<SIZE>("local", address);
    if (address - (u64)shim::current->stack.get() > shim::STACK - SIZE) refuse("beyond the thread's", "local", address, SIZE);
    return address;
}

template <unsigned SIZE>
inline u64 param(u64 address, Access access) {
    return local<SIZE>(address, access);
}

template <unsigned SIZE>
inline u64 generic(u64 address, Access access) {
    u64 offset = address - (u64)shim::dynamic.data();
    if (offset < shim::shared_bytes) return shared<SIZE>(offset, access);
    if (address - (u64)shim::current->stack.get() < shim::STACK) return local<SIZE>(address, access);
    return global<SIZE>(address, access);
}

inline u64 from_shared(u64 offset) { return (u64)shim::dynamic.data() + offset; }
inline u64 to_shared(u64 address) { return address - (u64)shim::dynamic.data(); }

// -- registers -----------------------------------------------------------------------------------------------------

// The bits of a value, or the value itself where the register is wider.
template <class D, class S>
inline void move(D& to, S from) {
    if constexpr (sizeof(D) == sizeof(S)) memcpy(&to, &from, sizeof(D));
    else to = (D)from;
}

template <class D, class S, class... More>
inline void pack(D& to, S first, More... more) {
    static_assert(sizeof(D) == sizeof(S) * (1 + sizeof...(more)), "registers fill the whole");
    S parts[] = {first, more...};
    memcpy(&to, parts, sizeof(D));
}

template <class S, class D, class... More>
inline void unpack(S from, D& first, More&... more) {
    static_assert(sizeof(S) == sizeof(D) * (1 + sizeof...(more)), "registers fill the whole");
    D* parts[] = {&first, &more...};
    for (size_t i = 0; i < 1 + sizeof...(more); i++) memcpy(parts[i], (char*)&from + i * sizeof(D), sizeof(D));
}

inline double f64(u64 bits) {
    double r;
    memcpy(&r, &bits, 8);
    return r;
}

inline float f32(u32 bits) {
    float r;
    memcpy(&r, &bits, 4);
    return r;
}

// How often it was asked.
inline u64 clock() {
    static u64 asked = 0;
    return ++asked;
}

// -- integers ------------------------------------------------------------------------------------------------------

template <class T> constexpr unsigned BITS = 8 * sizeof(T);
template <class T> using Unsigned = std::make_unsigned_t<T>;
template <class T> using Wide = std::conditional_t<std::is_signed_v<T>, i128, u128>;

template <class T> inline Unsigned<T> mul_lo(T a, T b) { return (Unsigned<T>)((u64)a * (u64)b); }
template <class T> inline T mul_hi(T a, T b) { return (T)((Wide<T>)a * b >> BITS<T>); }
template <class T> inline Wide<T> mul_wide(T a, T b) { return (Wide<T>)a * b; }
template <class T> inline T min(T a, T b) { return a < b ? a : b; }
template <class T> inline T max(T a, T b) { return a > b ? a : b; }
template <class T> inline T abs(T a) { return a < 0 ? -a : a; }
template <class T> inline T div(T a, T b) { return b ? (T)((Wide<T>)a / b) : (T)-1; }
template <class T> inline T rem(T a, T b) { return b ? (T)((Wide<T>)a % b) : a; }
template <class T> inline T shl(T a, u32 by) { return by < BITS<T> ? (T)(a << by) : 0; }
template <class T> inline T shr(T a, u32 by) { return (T)(a >> (by < BITS<T> ? by : BITS<T> - 1) >> (by >= BITS<T>)); }
template <class T> inline u32 popc(T a) { return (u32)__builtin_popcountll(a); }
template <class T> inline u32 clz(T a) { return a ? (u32)__builtin_clzll(a) - (64 - BITS<T>) : BITS<T>; }

template <class T>
inline T brev(T a) {
    T r = 0;
    for (unsigned i = 0; i < BITS<T>; i++) r |= (T)(a >> i & 1) << (BITS<T> - 1 - i);
    return r;
}

template <class T>
inline u32 bfind(T a, bool shift) {
    Unsigned<T> bits = (Unsigned<T>)(a < 0 ? ~a : a);
    if (!bits) return 0xffffffffu;
    u32 position = BITS<T> - 1 - clz(bits);
    return shift ? BITS<T> - 1 - position : position;
}

template <class T>
inline T bfe(T a, u32 position, u32 length) {
    position &= 255, length &= 255;
    if (!length) return 0;
    T r = shr(a, position);
    if (length >= BITS<T>) return r;
    return (T)((Unsigned<T>)r << (BITS<T> - length)) >> (BITS<T> - length);
}

template <class T>
inline T bfi(T a, T into, u32 position, u32 length) {
    position &= 255, length &= 255;
    T mask = shl((T)(length < BITS<T> ? ((T)1 << length) - 1 : (T)-1), position);
    return (into & ~mask) | (shl(a, position) & mask);
}

template <class T>
inline T lop3(T a, T b, T c, T table) {
    T r = 0;
    for (int row = 0; row < 8; row++)
        if (table >> row & 1) r |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
    return r;
}

template <class T>
inline T prmt(T a, T b, T selectors) {
    u64 both = (u64)b << 32 | a;
    T r = 0;
    for (int i = 0; i < 4; i++) {
        u32 selector = selectors >> (4 * i) & 15, byte = (u32)(both >> (8 * (selector & 7))) & 255;
        r |= (selector & 8 ? (byte & 128 ? 255u : 0u) : byte) << (8 * i);
    }
    return r;
}

inline u32 shf_l(u32 low, u32 high, u32 by, u32 most) {
    by = most == 31 ? by & 31 : min(by, most);
    return (u32)(((u64)high << 32 | low) << by >> 32);
}

inline u32 shf_r(u32 low, u32 high, u32 by, u32 most) {
    by = most == 31 ? by & 31 : min(by, most);
    return (u32)(((u64)high << 32 | low) >> by);
}

// -- floating point ------------------------------------------------------------------------------------------------

constexpr int rn = FE_TONEAREST, rz = FE_TOWARDZERO, rm = FE_DOWNWARD, rp = FE_UPWARD;

// The compiler must neither evaluate the operation itself nor move it out from between the two changes of the mode.
#define AITBC_ROUNDED(name, expression, ...)                      \
    template <class T>                                            \
    __attribute__((noinline)) T rounded_##name(int mode, __VA_ARGS__) { \
        fesetround(mode);                                         \
        volatile T r = expression;                                \
        fesetround(FE_TONEAREST);                                 \
        return r;                                                 \
    }
AITBC_ROUNDED(add, a + b, volatile T a, volatile T b)
AITBC_ROUNDED(sub, a - b, volatile T a, volatile T b)
AITBC_ROUNDED(mul, a * b, volatile T a, volatile T b)
AITBC_ROUNDED(div, a / b, volatile T a, volatile T b)
AITBC_ROUNDED(fma, std::fma((T)a, (T)b, (T)c), volatile T a, volatile T b, volatile T c)
#undef AITBC_ROUNDED

template <class D, class S>
inline D truncate(S a) {
    constexpr S low = (S)std::numeric_limits<D>::min(), high = (S)std::numeric_limits<D>::max();
    if (a != a) return 0;
    return a <= low ? std::numeric_limits<D>::min() : a >= high ? std::numeric_limits<D>::max() : (D)a;
}

// -- atomics, one thread at a time ---------------------------------------------------------------------------------

#define AITBC_ATOMIC(name, expression)       \
    template <class T>                       \
    inline T atomic_##name(T* at, T value) { \
        T old = *at;                         \
        *at = expression;                    \
        return old;                          \
    }
AITBC_ATOMIC(add, (T)(old + value))
AITBC_ATOMIC(and, old & value)
AITBC_ATOMIC(or, old | value)
AITBC_ATOMIC(xor, old ^ value)
AITBC_ATOMIC(min, min(old, value))
AITBC_ATOMIC(max, max(old, value))
AITBC_ATOMIC(exch, value)
AITBC_ATOMIC(inc, old >= value ? 0 : old + 1)
#undef AITBC_ATOMIC

template <class T>
inline T atomic_cas(T* at, T expected, T value) {
    T old = *at;
    if (old == expected) *at = value;
    return old;
}

// -- a warp's exchanges: source lane, value, bound and segments as in shfl.sync ------------------------------------

inline bool ignored;

inline u32 exchange(bool& inside, u32 value, u32 from, bool valid, u32 mask) {
    inside = valid;
    return shim_exchange(mask, value, valid ? from : shim::lane());
}

inline u32 segment(u32 control) { return control >> 8 & 31; }
inline u32 last(u32 control) { return (shim::lane() & segment(control)) | (control & 31 & ~segment(control)); }

inline u32 shfl_idx(bool& inside, u32 value, u32 from, u32 control, u32 mask) {
    u32 lane = (shim::lane() & segment(control)) | (from & ~segment(control) & 31);
    return exchange(inside, value, lane, lane <= last(control), mask);
}

inline u32 shfl_bfly(bool& inside, u32 value, u32 by, u32 control, u32 mask) {
    u32 lane = shim::lane() ^ (by & 31);
    return exchange(inside, value, lane, lane <= last(control), mask);
}

inline u32 shfl_down(bool& inside, u32 value, u32 by, u32 control, u32 mask) {
    u32 lane = shim::lane() + (by & 31);
    return exchange(inside, value, lane, lane <= last(control), mask);
}

inline u32 shfl_up(bool& inside, u32 value, u32 by, u32 control, u32 mask) {
    i32 lane = (i32)shim::lane() - (i32)(by & 31);
    return exchange(inside, value, (u32)lane, lane >= (i32)last(control), mask);
}

}  // namespace ptx

// Before a launch: the device's arrays as pairs of address and size, in order.
extern "C" __attribute__((visibility("default"))) void shim_arrays(const uint64_t* pairs, size_t count) {
    ptx::arrays.assign((const ptx::Range*)pairs, (const ptx::Range*)pairs + count);
    ptx::global_traces.clear();
}

extern "C" __attribute__((visibility("default"))) unsigned shim_barriers() { return ptx::barriers; }

// Take a barrier out of the code, or none; whether the code came to the one taken out before.
extern "C" __attribute__((visibility("default"))) int shim_skip(unsigned barrier) {
    ptx::skipped = barrier;
    return std::exchange(ptx::reached, false);
}
