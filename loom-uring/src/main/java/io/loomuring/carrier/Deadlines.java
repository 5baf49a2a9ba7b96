package io.loomuring.carrier;

import java.util.Arrays;

/**
 * The deadlines of one carrier: a binary heap whose entries know their index, so that one is
 * removed in logarithmic time. Allocates only to grow.
 */
final class Deadlines {
    private static final int CAPACITY_INITIAL = 64;

    private Deadline[] heap = new Deadline[CAPACITY_INITIAL];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    /** When the first one is due, in {@code System.nanoTime()}; not when empty. */
    long first() {
        return heap[0].nanoTime;
    }

    void add(Deadline deadline) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        siftUp(size++, deadline);
    }

    /** Removes a deadline, unless it has left before. */
    void remove(Deadline deadline) {
        int index = deadline.heapIndex;
        if (index < 0) {
            return;
        }
        assert heap[index] == deadline;
        deadline.heapIndex = -1;
        Deadline last = heap[--size];
        heap[size] = null;
        if (last == deadline) {
            return;
        }
        siftDown(index, last);
        if (heap[index] == last) {
            siftUp(index, last);
        }
    }

    /** Removes and returns the first deadline that is due, or null. */
    Deadline pollDue(long now) {
        if (size == 0 || heap[0].nanoTime - now > 0) {
            return null;
        }
        Deadline due = heap[0];
        remove(due);
        return due;
    }

    private void siftUp(int index, Deadline deadline) {
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            if (deadline.nanoTime - heap[parent].nanoTime >= 0) {
                break;
            }
            put(index, heap[parent]);
            index = parent;
        }
        put(index, deadline);
    }

    private void siftDown(int index, Deadline deadline) {
        while (true) {
            int child = 2 * index + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && heap[child + 1].nanoTime - heap[child].nanoTime < 0) {
                child++;
            }
            if (deadline.nanoTime - heap[child].nanoTime <= 0) {
                break;
            }
            put(index, heap[child]);
            index = child;
        }
        put(index, deadline);
    }

    private void put(int index, Deadline deadline) {
        heap[index] = deadline;
        deadline.heapIndex = index;
    }
}
