/** Runs jcstress and judges what it found. */
package io.loomuring.stress;
