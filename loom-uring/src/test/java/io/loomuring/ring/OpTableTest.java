package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Slots of operations in flight, and their generations. */
class OpTableTest {
    private static final int STEPS = 200_000;

    private final OpTable table = new OpTable();

    private static Op op() {
        return new Op(_ -> {});
    }

    @Test
    void shouldFindAnOperationByItsUserData() {
        Op op = op();
        long userData = table.allocate(op);
        assertThat(table.get(userData)).isSameAs(op);
        assertThat(table.inFlight()).isOne();
    }

    @Test
    void shouldForgetAFreedOperation() {
        long userData = table.allocate(op());
        table.free(userData);
        assertThat(table.get(userData)).isNull();
        assertThat(table.inFlight()).isZero();
    }

    @Test
    void shouldNotFindTheSlotsNextOperationByOldUserData() {
        long old = table.allocate(op());
        table.free(old);
        long current = table.allocate(op());
        assertThat((int) current).as("the same slot").isEqualTo((int) old);
        assertThat(current).isNotEqualTo(old);
        assertThat(table.get(old)).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, -2, Long.MIN_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE, 1L << 62})
    void shouldFindNothingByUserDataThatItNeverGave(long userData) {
        table.allocate(op());
        assertThat(table.get(userData)).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1024, 1025, 20_000})
    void shouldHoldAsManyAsThereAre(int count) {
        Map<Long, Op> expected = new HashMap<>();
        for (int i = 0; i < count; i++) {
            Op op = op();
            assertThat(expected.put(table.allocate(op), op)).as("user_data is unique").isNull();
        }
        assertThat(table.inFlight()).isEqualTo(count);
        expected.forEach((userData, op) -> assertThat(table.get(userData)).isSameAs(op));
    }

    @Test
    void shouldNeverGiveUserDataOfTheRingsOwn() {
        long userData = table.allocate(op());
        for (int life = 0; life < STEPS; life++) {
            assertThat(userData).isNotNegative();
            table.free(userData);
            userData = table.allocate(op());
        }
    }

    @Test
    void shouldMatchAMapWhateverIsAllocatedAndFreed() {
        Seeds.withRandom(random -> {
            Map<Long, Op> oracle = new HashMap<>();
            List<Long> inFlight = new ArrayList<>();
            Set<Long> everGiven = new HashSet<>();
            for (int step = 0; step < STEPS; step++) {
                boolean grow = random.nextInt(STEPS) > step; // at first more, then fewer
                if (inFlight.isEmpty() || (grow && random.nextInt(3) > 0)) {
                    Op op = op();
                    long userData = table.allocate(op);
                    assertThat(everGiven.add(userData)).isTrue();
                    oracle.put(userData, op);
                    inFlight.add(userData);
                } else {
                    int index = random.nextInt(inFlight.size());
                    long userData = inFlight.get(index);
                    inFlight.set(index, inFlight.getLast());
                    inFlight.removeLast();
                    assertThat(table.get(userData)).isSameAs(oracle.remove(userData));
                    table.free(userData);
                    assertThat(table.get(userData)).isNull();
                }
                assertThat(table.inFlight()).isEqualTo(oracle.size());
            }
        });
    }
}
